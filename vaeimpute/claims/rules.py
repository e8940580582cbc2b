"""The rules by which a table decides a part of a claim, and the intervals that they rest on.

What repeats is what counts. Masks over one fit are not patients, so no rule looks at the spread
over trials. Errors are compared over at least ten splits, paired by split; or else over the test
samples of the few there are, by bootstrap. Coefficients of genes are compared over patients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from vaeimpute.claims.paper import CLINICAL_SCENARIOS, Check, table_2
from vaeimpute.evaluation.clinical import OUTCOMES
from vaeimpute.evaluation.convergence import first_stable_iteration
from vaeimpute.seeding import generator

#: Fewest splits over which an interval is taken.
MIN_SPLITS = 10
#: Fewest events by which survival can be judged.
MIN_EVENTS = 20
#: Errors that differ by no more than this share are similar.
MARGIN = 0.05
#: Concordance indices that differ by no more than this are similar.
CONCORDANCE_MARGIN = 0.01

_N_DRAWS = 2000  # of the bootstrap over test samples

Limits = tuple[float | None, float | None]
Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Figure:
    """What a rule found in one cell of a claim.

    Attributes
    ----------
    cell, compared : str
        Such as ``"mcar_10"`` and ``"VAE / KNN"``.
    value, low, high : float
        The figure and the limits of its 95 % interval, NaN where there is none.
    quantity : str
        What the figure is. A relative difference is a share.
    unit, n : str and int
        What the interval is over, such as splits, and how many of them.
    meets : bool or None
        Whether it is as claimed; None if that cannot be told, for the reason in `note`.
    testable : bool
        False if the data lack what the cell is about.
    paper : float
        What the paper prints, NaN where it prints nothing.
    """

    cell: str
    compared: str = ""
    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    quantity: str = "relative difference"
    unit: str = ""
    n: int = 0
    meets: bool | None = None
    note: str = ""
    testable: bool = True
    paper: float = np.nan


def over_splits(differences: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
    """Mean of one difference per split, with Student's 95 % interval.

    The splits are of the same samples: the interval is for other splits of this cohort, each with
    its training, and not for another cohort.

    Examples
    --------
    >>> [round(x, 3) for x in over_splits([-0.02, -0.03, -0.04])]
    [-0.03, -0.055, -0.005]
    """
    values = np.asarray(differences, dtype=float)
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(values.mean() - half), float(values.mean() + half)


def over_samples(
    first: np.ndarray,
    second: np.ndarray,
    n_first: np.ndarray,
    n_second: np.ndarray,
    *,
    root: bool = False,
) -> tuple[float, float, float]:
    """Relative difference of two errors, with the 95 % interval of a bootstrap over test samples.

    Whole samples are drawn, the same ones for all methods and scenarios that have as many. The
    methods stay as they were fitted: the interval is for other patients, and not for another
    training.

    Parameters
    ----------
    first, second : array of shape (n_samples,)
        Mean absolute, or squared, error of every sample, by two methods.
    n_first, n_second : array of shape (n_samples,)
        How many entries each error is over.
    root : bool
        Compare the roots, for squared errors.

    Returns
    -------
    value, low, high : float

    Examples
    --------
    >>> error, entries = np.array([1.0, 2.0, 3.0]), np.ones(3)
    >>> [round(x, 6) for x in over_samples(0.9 * error, error, entries, entries)]
    [-0.1, -0.1, -0.1]
    """
    draws = np.vstack([np.ones(len(first)), _draws(len(first))])
    with np.errstate(divide="ignore", invalid="ignore"):
        ours = draws @ (first * n_first) / (draws @ n_first)
        theirs = draws @ (second * n_second) / (draws @ n_second)
        differences = (np.sqrt(ours / theirs) if root else ours / theirs) - 1
    low, high = np.quantile(differences[1:], (0.025, 0.975))
    return float(differences[0]), float(low), float(high)


@cache
def _draws(n_samples: int) -> np.ndarray:
    """How often each sample is in each draw, of shape (n_draws, n_samples)."""
    rng = generator(0, "claims", "bootstrap", n_samples)
    return rng.multinomial(n_samples, np.full(n_samples, 1 / n_samples), _N_DRAWS).astype(float)


def lies_between(low: float, high: float, limits: Limits, margin: float) -> bool | None:
    """Say whether an interval lies between two limits, of which None is none.

    An interval across a limit says no if it is narrow, and nothing if its half-width is more than
    the margin: then there is too little data.

    Examples
    --------
    >>> below_zero = (None, 0)
    >>> [lies_between(low, high, below_zero, 0.05)
    ...  for low, high in ((-0.2, -0.1), (-0.02, 0.01), (-0.2, 0.1))]
    [True, False, None]
    """
    if not np.isfinite([low, high]).all():
        return None
    lower, upper = _numbers(limits)
    if lower < low and high < upper:
        return True
    apart = high <= lower or low >= upper
    return None if not apart and (high - low) / 2 > margin else False


def _numbers(limits: Limits) -> tuple[float, float]:
    lower, upper = limits
    return -np.inf if lower is None else lower, np.inf if upper is None else upper


def _decided(figure: Figure, limits: Limits, margin: float) -> Figure:
    meets = lies_between(figure.low, figure.high, limits, margin)
    note = figure.note or ("the interval is too wide" if meets is None else "")
    return replace(figure, meets=meets, note=note)


def with_shifted(table: pd.DataFrame) -> pd.DataFrame:
    """Let the shifted VAE stand for the VAE where low values are missing, as the paper means it.

    Parameters
    ----------
    table : DataFrame
        With ``scenario`` and ``method``.

    Returns
    -------
    DataFrame
        Where there is no shifted VAE, the plain one stays. The shifted one is nowhere else.

    Examples
    --------
    >>> rows = [(s, m) for s in ("mcar_10", "mnar_low_values") for m in ("VAE", "VAE, shifted")]
    >>> table = pd.DataFrame(rows, columns=["scenario", "method"]).assign(which=[1, 2, 3, 4])
    >>> with_shifted(table)["which"].tolist()
    [1, 4]
    """
    low, shifted = table["scenario"] == "mnar_low_values", table["method"] == "VAE, shifted"
    has_shifted = (low & shifted).any()
    dropped = (shifted & ~low) | (low & (table["method"] == "VAE") & has_shifted)
    kept = table[~dropped]
    return kept.assign(method=kept["method"].replace("VAE, shifted", "VAE"))


def _means(values: pd.Series, repeat: pd.Series | None, methods: pd.Series) -> pd.DataFrame:
    """Means over trials: one row per split or draw, those with all methods, and a column a method.

    Without a column that tells repeats apart, all is one.
    """
    repeats = pd.Series(0, values.index) if repeat is None else repeat
    return values.groupby([repeats, methods]).mean().unstack().dropna()


def _split(table: pd.DataFrame) -> pd.Series | None:
    return next((table[name] for name in ("split", "seed") if name in table), None)


def compare_errors(
    check: Check,
    tables: Tables,
    metric: str,
    *,
    limits: Limits,
    cells: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    by: str = "method",
    cell_by: str = "scenario",
    where: str = "",
    stand_in: bool = False,
    real_gc: bool = False,
) -> list[Figure]:
    """Compare errors by their relative difference, in some cells, within some pairs.

    Pairs are values of the column `by`, and cells of `cell_by`. `stand_in` is for `with_shifted`;
    `real_gc` for `vaeimpute.claims.judge`.
    """

    def part(table: pd.DataFrame) -> pd.DataFrame:
        table = table.query(where) if where else table
        return with_shifted(table) if stand_in else table

    found = [name for name in check.tables if name in tables]
    names = [f"{name}_samples" for name in found]
    sources = [
        (part(tables[name]), part(tables[by_sample]) if by_sample in tables else None)
        for name, by_sample in zip(found, names, strict=True)
    ]
    figures = []
    for cell, (first, other) in product(cells, pairs):
        others = dict.fromkeys(name for table, _ in sources for name in table[by] if name != first)
        for second in list(others) or [other] if other == "*" else [other]:
            figure = Figure(cell.split("|")[0], f"{first} / {second}")
            compared = [
                _compare(figure, table, samples, metric, (by, first, second), (cell_by, cell))
                for table, samples in sources
            ] or [replace(figure, note=f"there is no table {check.tables[0]}")]
            # The best that is known: with an interval, or at least a value, or at least why not.
            best = min(compared, key=lambda f: (np.isnan(f.low), np.isnan(f.value)))
            figures.append(_decided(best, limits, MARGIN))
    return figures


def _compare(
    figure: Figure,
    table: pd.DataFrame,
    samples: pd.DataFrame | None,
    metric: str,
    pair: tuple[str, str, str],
    place: tuple[str, str],
) -> Figure:
    """Compare two errors in one cell by one table and its errors by sample."""
    (by, *names), (cell_by, cell) = pair, place
    there = set(table[cell_by])
    cell = next((name for name in cell.split("|") if name in there), figure.cell)
    part = table[(table[cell_by] == cell) & table[by].isin(names)]
    for name in names:
        if not (part[by] == name).any():
            return replace(figure, note=f"there is no {name if cell in there else cell}")
    if metric not in part or part[metric].isna().any():
        return replace(figure, note=f"some {metric} are not there")
    means = _means(part[metric], _split(part), part[by])
    differences = means[names[0]] / means[names[1]] - 1
    if not len(differences) or not np.isfinite(differences).all():
        return replace(figure, note="errors are zero, or of different splits")
    if len(differences) >= MIN_SPLITS:
        value, low, high = over_splits(differences)
        unit, n = "splits", len(differences)
    else:
        errors = _by_sample(samples, metric, pair, (cell_by, cell))
        if len(errors) < 2:
            note = f"{_count(len(differences), 'splits')} and no errors by sample"
            return replace(figure, value=float(differences.mean()), note=note)
        columns = (errors[what, name].to_numpy() for what in ("error", "n") for name in names)
        value, low, high = over_samples(*columns, root=metric == "rmse")
        unit, n = "test samples", len(errors)
    return replace(figure, value=value, low=low, high=high, unit=unit, n=n)


def _by_sample(
    samples: pd.DataFrame | None, metric: str, pair: tuple[str, str, str], place: tuple[str, str]
) -> pd.DataFrame:
    """Errors of every sample, over all splits in which it was a test sample; empty if not known."""
    (by, *names), (cell_by, cell) = pair, place
    column = {"mae": "mae", "rmse": "mse"}[metric]
    if samples is None or column not in samples:
        return pd.DataFrame()
    part = samples[(samples[cell_by] == cell) & samples[by].isin(names) & (samples.n_missing > 0)]
    if set(part[by]) != set(names) or part[column].isna().any():
        return pd.DataFrame()
    part = part.assign(error=part[column] * part["n_missing"], n=part["n_missing"])
    sums = part.groupby(["sample", by])[["error", "n"]].sum()
    sums["error"] /= sums["n"]
    return sums.unstack().dropna()


def _count(n: int, units: str) -> str:
    return f"{n} {units.removesuffix('s') if n == 1 else units}"


def compare_coefficients(
    check: Check,
    tables: Tables,
    metric: str,
    *,
    limits: Limits,
    measure: str,
    margin: float,
    pairs: Sequence[tuple[str, str]],
    outcomes: Sequence[str] = OUTCOMES,
) -> list[Figure]:
    """Compare methods by how well they keep the coefficients of genes.

    The interval is over ten splits or more, or else 1.96 standard deviations over draws of
    patients to both sides, for whom the coefficients were computed anew.
    """
    (name,) = check.tables
    table, draws = (
        with_shifted(found) if found is not None else None
        for found in (tables.get(name), tables.get(f"{name}_draws"))
    )
    printed = table_2().set_index(["outcome", "scenario", "method"])["mean"]
    relative = measure == "variance"
    figures = []
    for outcome, scenario, (first, second), band in product(
        outcomes, CLINICAL_SCENARIOS, pairs, (0, 1, 2) if measure == "near_zero" else (None,)
    ):
        figure = Figure(
            f"{outcome}, {scenario}",
            f"{first} / {second}" if relative else f"{first} - {second}",
            quantity="relative difference" if relative else f"difference in {measure}",
        )
        if band is not None:
            width = 0.0125 + 0.025 * band
            figure = replace(figure, quantity=f"difference in the share within {width:.4f}")
        if measure == "concordance":
            paper = printed[outcome, scenario, first] - printed[outcome, scenario, second]
            figure = replace(figure, paper=paper)
        if table is None:
            figures.append(replace(figure, note=f"there is no table {name}"))
            continue
        differences = partial(
            _differences, outcome=outcome, scenario=scenario, pair=(first, second),
            measure=measure, band=band,
        )  # fmt: skip
        figure = _over_patients(figure, differences, table, draws)
        if table.get(f"{outcome}_concordance", pd.Series(dtype=float)).isna().all():
            figure = replace(figure, note=f"there is no {outcome}", testable=False)
        elif outcome == "survival" and table["n_events"].max() < MIN_EVENTS:
            figure = replace(figure, note=f"{table['n_events'].max()} events are too few")
        elif not figure.note:
            figure = _decided(figure, limits, margin)
        figures.append(figure)
    return figures


def _over_patients(
    figure: Figure,
    differences: Callable[..., pd.Series],
    table: pd.DataFrame,
    draws: pd.DataFrame | None,
) -> Figure:
    """Estimate a difference with its interval, over splits or over draws of patients."""
    by_split = differences(table, _split(table))
    if not len(by_split):
        return replace(figure, note="a method is not there")
    figure = replace(figure, value=float(by_split.mean()))
    if len(by_split) >= MIN_SPLITS:
        _, low, high = over_splits(by_split)
        return replace(figure, low=low, high=high, unit="splits", n=len(by_split))
    drawn = differences(draws, draws["draw"]) if draws is not None else pd.Series(dtype=float)
    if len(drawn) < 2:
        note = f"{_count(len(by_split), 'splits')} and no draws of patients"
        return replace(figure, note=note)
    half = 1.96 * float(drawn.std())
    low, high = figure.value - half, figure.value + half
    return replace(figure, low=low, high=high, unit="draws of patients", n=len(drawn))


def _differences(
    table: pd.DataFrame,
    repeat: pd.Series | None,
    *,
    outcome: str,
    scenario: str,
    pair: tuple[str, str],
    measure: str,
    band: int | None,
) -> pd.Series:
    """One difference per split or draw, of means over trials; relative for variances."""
    part = table[(table["scenario"] == scenario) & table["method"].isin(pair)]
    column = f"{outcome}_{'histogram' if measure == 'near_zero' else measure}"
    if column not in part or set(part["method"]) != set(pair):
        return pd.Series(dtype=float)
    values = part[column] if band is None else part[column].map(partial(_share_near_zero, band))
    means = _means(values, repeat, part["method"])
    ours, theirs = means[pair[0]], means[pair[1]]
    return ours / theirs - 1 if measure == "variance" else ours - theirs


def _share_near_zero(band: int, histogram: str) -> float:
    """Share of the middle bin of a histogram and of as many as `band` on both sides of it."""
    counts = np.array(histogram.split(), dtype=float)
    middle = len(counts) // 2
    return counts[middle - band : middle + band + 1].sum() / max(counts.sum(), 1)


def compare_value(
    table: pd.DataFrame,
    *,
    value: str,
    quantity: str,
    region: Limits,
    label: Sequence[str],
    where: str = "",
    enough: str = "",
    reference: str = "",
    error: str = "",
    paper: float = np.nan,
    ran_away: bool | None = None,
) -> list[Figure]:
    """See whether an expression of columns lies in a region, in every row of a table.

    `enough` is what a row has to satisfy to tell anything, `ran_away` the answer where the number
    is NaN or infinite, `error` the column of its standard error. The first row that satisfies
    `reference` adds its columns to all rows, with ``reference_`` before their names.
    """
    figure = Figure(value, quantity=quantity, paper=paper)
    rows = table.query(where) if where else table
    if reference:
        beside = table.query(reference).head(1).add_prefix("reference_")
        rows = rows.merge(beside, how="cross")  # no row if there is no reference
    if rows.empty:
        return [replace(figure, note="the table has no row for it")]
    lower, upper = _numbers(region)
    told = rows.eval(enough) if enough else [True] * len(rows)
    figures = []
    for (_, row), number, is_told in zip(rows.iterrows(), rows.eval(value), told, strict=True):
        half = 1.96 * row[error] if error else np.nan
        here = replace(
            figure, cell=", ".join(map(_text, row[list(label)])), value=float(number),
            low=number - half, high=number + half,
        )  # fmt: skip
        if not is_told:
            here = replace(here, note="there is too little data")
        elif not np.isfinite(number):
            here = replace(here, meets=ran_away, note="" if ran_away else "not measured")
        else:
            here = replace(here, meets=bool(lower < number < upper))
        figures.append(here)
    return figures


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def compare_share(
    table: pd.DataFrame, *, condition: str, least: float, where: str = ""
) -> list[Figure]:
    """See whether at least some share of the rows of a table satisfies a condition."""
    rows = table.query(where) if where else table
    if rows.empty:
        return [Figure(condition, quantity="share", note="the table has no row for it")]
    share = float(rows.eval(condition).mean())
    return [Figure(condition, "", share, quantity="share", meets=share >= least)]


def compare_iterations(
    table: pd.DataFrame, *, iteration: int = 3, margin: float = 0.01, left: float = 0.05
) -> list[Figure]:
    """See whether iterative imputation settles: in its error, and in how much values change."""
    figures = []
    for (scenario, start), part in table.groupby(["scenario", "start"], sort=False):
        means = part.groupby("iteration")[["mae", "mean_change"]].mean()
        stable = first_stable_iteration(means["mae"], margin)  # NaN if the values ran away
        change = means["mean_change"].get(iteration + 1, np.nan) / means["mean_change"].get(1)
        for value, quantity, meets in (
            (stable, "stable from iteration", stable <= iteration),
            (change, "change left after three iterations", change < left),
        ):
            cell = f"{scenario}, {start}"
            figures.append(Figure(cell, "", value, quantity=quantity, meets=bool(meets)))
    return figures


def compare_winners(table: pd.DataFrame, *, methods: Sequence[str], least: float) -> list[Figure]:
    """See on which share of the genes each method is best."""
    part = table[table["method"].isin(methods)]
    errors = part.groupby(["feature", "method"])["mae"].mean().unstack().dropna()
    if set(errors) != set(methods):
        return [Figure("", quantity="share of genes", note="a method is not there")]
    shares = errors.idxmin(axis=1).value_counts(normalize=True)
    return [
        Figure(m, "", share, quantity="share of genes", meets=bool(share >= least))
        for m in methods
        for share in [float(shares.get(m, 0.0))]
    ]


def _of_first_table(function: Callable[..., list[Figure]]) -> Callable[..., list[Figure]]:
    """Give a rule the first of a check's tables that is there."""

    def rule(check: Check, tables: Tables, metric: str, **parameters: Any) -> list[Figure]:
        found = [tables[name] for name in check.tables if name in tables]
        if not found or found[0].empty:
            return [Figure(check.tables[0], note=f"there is no table {check.tables[0]}")]
        return function(found[0], **parameters)

    return rule


_ERRORS = "the 95 % interval of the relative difference of the errors lies"
_PATIENTS = "the 95 % interval over patients of the"

#: Rules on errors: what decides, in words, and between which limits the interval has to lie.
ERROR_RULES: dict[str, tuple[str, Limits]] = {
    "better": ("below zero", (None, 0)),
    "similar": ("within ±5 %", (-MARGIN, MARGIN)),
    "similar or better": ("below +5 %", (None, MARGIN)),
    "worse": ("above zero", (0, None)),
    "clearly worse": ("above +5 %", (MARGIN, None)),
    "hardly better": ("above -5 %", (-MARGIN, None)),
}

#: Every rule: what decides, in words, and the function that looks at the tables.
RULES: dict[str, tuple[str, Callable[..., list[Figure]]]] = {
    **{
        name: (f"{_ERRORS} {where}", partial(compare_errors, limits=limits))
        for name, (where, limits) in ERROR_RULES.items()
    },
    **{
        name: (
            f"{_PATIENTS} {what}",
            partial(compare_coefficients, limits=limits, measure=measure, margin=margin),
        )
        for name, what, measure, limits, margin in (
            ("higher concordance", "difference in concordance lies above zero", "concordance",
             (0, None), CONCORDANCE_MARGIN),
            ("similar concordance", "difference in concordance lies within ±0.01", "concordance",
             (-CONCORDANCE_MARGIN, CONCORDANCE_MARGIN), CONCORDANCE_MARGIN),
            ("smaller variance", "relative difference of the variances lies below zero",
             "variance", (None, 0), MARGIN),
            ("more near zero", "difference in the share near zero lies above zero", "near_zero",
             (0, None), CONCORDANCE_MARGIN),
        )
    },
    "value": ("the figure lies beyond the stated limit", _of_first_table(compare_value)),
    "share": ("the stated share of the rows or more is so", _of_first_table(compare_share)),
    "stable": (
        "from iteration 3 on the error stays within 1 % of the last one, and the next iteration "
        "changes less than 5 % of what the first did",
        _of_first_table(compare_iterations),
    ),
    "winners": (
        "each method is best on at least 5 % of the genes",
        _of_first_table(compare_winners),
    ),
}  # fmt: skip


def apply_rule(check: Check, tables: Tables, metric: str = "mae") -> list[Figure]:
    """Look at tables by the rule of a check; at least one figure comes back, if only to say why."""
    return RULES[check.rule][1](check, tables, metric, **check.parameters)


def sum_up(groups: Iterable[tuple[str | float, Sequence[bool | None]]]) -> str:
    """Sum up the cells of all checks of a claim.

    Parameters
    ----------
    groups : iterable of (needs, cells)
        Of every check: how many cells have to be as claimed (all, most or a share), and whether
        each is.

    Returns
    -------
    str
        ``"holds"`` if enough are in every check; ``"holds in part"`` if some are; ``"does not
        hold"`` if none is; and ``"cannot be told"`` if that depends on cells of which it is not
        known.

    Examples
    --------
    >>> [sum_up([("all", c)]) for c in ([True, True], [True, False, None], [False], [True, None])]
    ['holds', 'holds in part', 'does not hold', 'cannot be told']
    """
    groups = [(needs, list(cells)) for needs, cells in groups]

    def verdict(unknown: bool) -> str:
        filled = [(n, [unknown if c is None else c for c in cells]) for n, cells in groups]
        if all(_enough(needs, cells) for needs, cells in filled):
            return "holds"
        return "holds in part" if any(any(c) for _, c in filled) else "does not hold"

    at_best, at_worst = verdict(True), verdict(False)
    return at_best if at_best == at_worst else "cannot be told"


def _enough(needs: str | float, cells: Sequence[bool]) -> bool:
    share = sum(cells) / len(cells)
    if needs == "most":
        return share > 0.5
    return share >= (1 if needs == "all" else float(needs))
