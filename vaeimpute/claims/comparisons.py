"""Comparing methods by what repeats: their errors, and how they keep the coefficients of genes.

Masks over one fit are not patients, so nothing here looks at the spread over trials. Errors are
compared over at least ten splits, paired by split; or else over the test samples of the few there
are, by bootstrap. Coefficients of genes are compared over patients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
import pandas as pd

from vaeimpute.claims.intervals import MIN_SPLITS, Limits, lies_between, over_samples, over_splits
from vaeimpute.claims.paper import CLINICAL_SCENARIOS, Check, table_2
from vaeimpute.evaluation.clinical import OUTCOMES

#: Fewest events by which survival can be judged.
MIN_EVENTS = 20
#: Errors that differ by no more than this share are similar.
MARGIN = 0.05

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Finding:
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


def _decided(finding: Finding, limits: Limits, margin: float) -> Finding:
    meets = lies_between(finding.low, finding.high, limits, margin)
    note = finding.note or ("the interval is too wide" if meets is None else "")
    return replace(finding, meets=meets, note=note)


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
    plain = table["method"] == "VAE"
    dropped = (shifted & ~low) | (low & plain & _has_shifted(table))
    kept = table[~dropped]
    return kept.assign(method=kept["method"].replace("VAE, shifted", "VAE"))


def _has_shifted(table: pd.DataFrame) -> bool:
    """Return whether a shifted VAE is there to stand for the VAE."""
    low = table["scenario"] == "mnar_low_values"
    return bool((low & (table["method"] == "VAE, shifted")).any())


def _split(table: pd.DataFrame) -> pd.Series:
    """Return what tells splits apart; without it, all is one."""
    columns = (table[name] for name in ("split", "seed") if name in table)
    return next(columns, pd.Series(0, table.index))


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
) -> list[Finding]:
    """Compare errors by their relative difference, in some cells, within some pairs.

    Pairs are values of the column `by`, and cells of `cell_by`. `stand_in` is for `with_shifted`;
    `real_gc` for `vaeimpute.claims.judge`.
    """

    def chosen(table: pd.DataFrame) -> pd.DataFrame:
        table = table.query(where) if where else table
        return with_shifted(table) if stand_in else table

    keys, column = [cell_by, by], {"mae": "mae", "rmse": "mse"}[metric]
    there = {name: tables[name] for name in check.tables if name in tables}
    stands_in = stand_in and any(map(_has_shifted, there.values()))
    sources = []
    for name, table in there.items():
        samples = tables.get(f"{name}_samples", pd.DataFrame())
        known = column in samples
        by_sample = _errors_by_sample(chosen(samples), column, keys) if known else samples[:0]
        sources.append((_mean_errors(chosen(table), metric, keys), by_sample))
    findings = []
    for cell, (first, other) in product(cells, pairs):
        others = dict.fromkeys(name for mean, _ in sources for name in mean.index.unique(by))
        others.pop(first, None)
        for second in list(others) or [other] if other == "*" else [other]:
            shifted = ", shifted" * (stands_in and (cell, first) == ("mnar_low_values", "VAE"))
            finding = Finding(cell.split("|")[0], f"{first}{shifted} / {second}")
            compared = [
                _compare(finding, *source, (first, second), cell, metric) for source in sources
            ] or [replace(finding, note=f"there is no table {check.tables[0]}")]
            # The best that is known: with an interval, or at least a value, or at least why not.
            best = min(compared, key=lambda f: (np.isnan(f.low), np.isnan(f.value)))
            findings.append(_decided(best, limits, MARGIN))
    return findings


def _mean_errors(table: pd.DataFrame, metric: str, keys: list[str]) -> pd.Series:
    """Mean over trials, by two columns and split; NaN where an error is."""
    errors = table[metric] if metric in table else pd.Series(np.nan, table.index)
    by = [*(table[key] for key in keys), _split(table)]
    return errors.groupby(by).mean().mask(errors.isna().groupby(by).any())


def _errors_by_sample(samples: pd.DataFrame, column: str, keys: list[str]) -> pd.DataFrame:
    """Error of every sample and of how many entries, over all splits in which it was tested."""
    part = samples[samples["n_missing"] > 0]
    part = part.assign(error=part[column] * part["n_missing"], n=part["n_missing"])
    by = [*keys, "sample"]
    sums = part.groupby(by)[["error", "n"]].sum()
    sums["error"] /= sums["n"]
    return sums.mask(part["error"].isna().groupby([part[key] for key in by]).any())


def _compare(
    finding: Finding,
    errors: pd.Series,
    by_sample: pd.DataFrame,
    names: tuple[str, str],
    cell: str,
    metric: str,
) -> Finding:
    """Compare two errors in one cell, by split or, if there are too few, by sample."""
    there = errors.index.unique(0)
    cell = next((name for name in cell.split("|") if name in there), finding.cell)
    for name in names:
        if (cell, name) not in errors.index:
            return replace(finding, note=f"{name if cell in there else cell} is not there")
    ours, theirs = (errors.loc[(cell, name)] for name in names)
    if ours.isna().any() or theirs.isna().any():
        return replace(finding, note=f"some {metric} are not there")
    common = ours.index.intersection(theirs.index)
    differences = ours[common] / theirs[common] - 1
    if not len(differences) or not np.isfinite(differences).all():
        return replace(finding, note="errors are zero, or of different splits")
    if len(differences) >= MIN_SPLITS:
        value, low, high = over_splits(differences)
        return replace(finding, value=value, low=low, high=high, unit="splits", n=len(differences))
    known = all((cell, name) in by_sample.index for name in names)
    parts = [by_sample.loc[(cell, name)] for name in names] if known else []
    common = parts[0].index.intersection(parts[1].index) if known else []
    if len(common) < 2 or any(part.isna().any(axis=None) for part in parts):
        note = f"{_count(len(differences), 'splits')} and no errors by sample"
        return replace(finding, value=float(differences.mean()), note=note)
    columns = (part.loc[common, what].to_numpy() for what in ("error", "n") for part in parts)
    value, low, high = over_samples(*columns, root=metric == "rmse")
    return replace(finding, value=value, low=low, high=high, unit="test samples", n=len(common))


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
) -> list[Finding]:
    """Compare methods by how well they keep the coefficients of genes.

    The paper: two-sample t-tests over trials (Figure 4). Here: intervals over patients.
    The interval is over ten splits or more, or else 1.96 standard deviations over draws of
    patients to both sides, for whom the coefficients were computed anew.
    """
    (name,) = check.tables
    table, draws = (
        with_shifted(found) if found is not None else None
        for found in (tables.get(name), tables.get(f"{name}_draws"))
    )
    printed = table_2().set_index(["outcome", "scenario", "method"])["mean"]
    findings = []
    for outcome, scenario, (first, second), band in product(
        outcomes, CLINICAL_SCENARIOS, pairs, (0, 1, 2) if measure == "near_zero" else (None,)
    ):
        sign, quantity, paper = "-", f"difference in {measure}", np.nan
        if measure == "variance":
            sign, quantity = "/", "relative difference"
        elif measure == "concordance":
            paper = printed[outcome, scenario, first] - printed[outcome, scenario, second]
        elif band is not None:
            quantity = f"difference in the share within {0.0125 + 0.025 * band:.4f}"
        compared = f"{first} {sign} {second}"
        finding = Finding(f"{outcome}, {scenario}", compared, quantity=quantity, paper=paper)
        if table is None:
            findings.append(replace(finding, note=f"there is no table {name}"))
            continue
        differences = partial(
            _differences, outcome=outcome, scenario=scenario, pair=(first, second),
            measure=measure, band=band,
        )  # fmt: skip
        finding = _over_patients(finding, differences, table, draws)
        if table.get(f"{outcome}_concordance", pd.Series(dtype=float)).isna().all():
            finding = replace(finding, note=f"there is no {outcome}", testable=False)
        elif outcome == "survival" and table["n_events"].max() < MIN_EVENTS:
            finding = replace(finding, note=f"{table['n_events'].max()} events are too few")
        elif not finding.note:
            finding = _decided(finding, limits, margin)
        findings.append(finding)
    return findings


def _over_patients(
    finding: Finding,
    differences: Callable[..., pd.Series],
    table: pd.DataFrame,
    draws: pd.DataFrame | None,
) -> Finding:
    """Estimate a difference with its interval, over splits or over draws of patients."""
    by_split = differences(table, _split(table))
    if not len(by_split):
        return replace(finding, note="a method is not there")
    finding = replace(finding, value=float(by_split.mean()))
    if len(by_split) >= MIN_SPLITS:
        _, low, high = over_splits(by_split)
        return replace(finding, low=low, high=high, unit="splits", n=len(by_split))
    drawn = differences(draws, draws["draw"]) if draws is not None else pd.Series(dtype=float)
    if len(drawn) < 2:
        note = f"{_count(len(by_split), 'splits')} and no draws of patients"
        return replace(finding, note=note)
    half = 1.96 * float(drawn.std())
    low, high = finding.value - half, finding.value + half
    return replace(finding, low=low, high=high, unit="draws of patients", n=len(drawn))


def _differences(
    table: pd.DataFrame,
    repeats: pd.Series,
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
    means = values.groupby([repeats, part["method"]]).mean().unstack().dropna()
    ours, theirs = means[pair[0]], means[pair[1]]
    return ours / theirs - 1 if measure == "variance" else ours - theirs


def _share_near_zero(band: int, histogram: str) -> float:
    """Share of the middle bin of a histogram and of as many as `band` on both sides of it."""
    counts = np.array(histogram.split(), dtype=float)
    middle = len(counts) // 2
    return counts[middle - band : middle + band + 1].sum() / max(counts.sum(), 1)
