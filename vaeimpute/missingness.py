"""The paper's Table 1: ways of losing values, as data, and `hide`, which takes values away.

A scenario says which values can be lost (`Scenario.eligible`), which share of them is
(`Scenario.fraction`), and how that share is drawn (`Scenario.drawn`). The functions named like the
scenarios build them with other parameters than the paper's.

>>> mnar_low_values(quantile=0.2).key
'mnar_low_values_20'
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from vaeimpute.cohorts import Cohort
from vaeimpute.seeding import generator

Eligible = Callable[[Cohort, np.ndarray], np.ndarray]
Drawn = Literal["among all", "within rows", "by feature"]


def hide(
    eligible: np.ndarray,
    fraction: float,
    rng: np.random.Generator,
    drawn: Drawn = "among all",
    *,
    observed: np.ndarray | None = None,
) -> np.ndarray:
    """Choose values to take away: for a scenario, for a test of a method, to tune a parameter.

    Parameters
    ----------
    eligible : boolean array of shape (n_rows, n_features)
        True for the values that can be chosen. What is missing already is not among them.
    fraction : float
        Share of them that is chosen, between 0 and 1. Counts are rounded, but if there are any, one
        at least is chosen, unless the share is 0.
    rng : numpy.random.Generator
    drawn : {"among all", "within rows", "by feature"}
        Whether the share is taken of all of them together, of every row by itself, or of the
        features, each of which then loses all its eligible values.
    observed : boolean array of shape (n_rows, n_features), optional
        True where there is a value. If it is given, every feature keeps one of its values at least,
        so that a method can be fitted to what is left.

    Returns
    -------
    boolean array of shape (n_rows, n_features)
        True where a value is taken away.

    Examples
    --------
    >>> eligible = np.array([[True, True, True, False]] * 2)
    >>> hide(eligible, 0.7, np.random.default_rng(0), "within rows").sum(axis=1)
    array([2, 2])
    >>> hide(eligible, 0.01, np.random.default_rng(0)).sum()
    np.int64(1)
    >>> hide(eligible, 1.0, np.random.default_rng(0), observed=eligible).sum(axis=0)
    array([1, 1, 1, 0])
    """
    if observed is not None:  # the only value of a feature stays
        eligible = eligible & (observed.sum(axis=0) > 1)
    mask = np.zeros(eligible.shape, dtype=bool)
    if drawn == "within rows":
        n_hidden = np.rint(fraction * eligible.sum(axis=1)).astype(int)
        # Rank uniform draws within each row; what is not eligible draws 2 and so ranks last.
        order = np.argsort(np.where(eligible, rng.random(eligible.shape), 2.0), axis=1)
        np.put_along_axis(mask, order, np.arange(eligible.shape[1]) < n_hidden[:, None], axis=1)
    elif drawn == "by feature":
        # Among the features that have something to lose.
        mask |= eligible & hide(np.any(eligible, axis=0, keepdims=True), fraction, rng)
    else:
        positions = np.flatnonzero(eligible)
        n_hidden = int(np.rint(fraction * len(positions)))
        mask.ravel()[rng.choice(positions, n_hidden, replace=False, shuffle=False)] = True
    if fraction > 0 and eligible.any() and not mask.any():
        mask.ravel()[rng.choice(np.flatnonzero(eligible))] = True
    if observed is not None:
        emptied = np.flatnonzero(mask.any(axis=0) & ~(observed & ~mask).any(axis=0))
        given_back = np.where(mask[:, emptied], rng.random((len(mask), len(emptied))), -1.0)
        mask[given_back.argmax(axis=0), emptied] = False
    return mask


@dataclass(frozen=True, eq=False)
class Scenario:
    """One way of losing values.

    Attributes
    ----------
    key : str
        Name in tables and parameters.
    mechanism : {"MCAR", "MNAR"}
        Missing completely at random, or not at random.
    data_types : tuple of str
        The kinds of cohort that it applies to.
    description : str
        What is masked, in words.
    fraction : float
        Share of the eligible values that is masked.
    drawn : {"among all", "within rows", "by feature"}
        How that share is drawn: see `hide`.
    nominal_fraction : float or None
        Share of the values of the given rows that Table 1 speaks of, for a complete matrix. None
        where the share depends on the cohort; `expected_fraction` then measures it.
    eligible : callable
        ``eligible(cohort, rows)`` returns a boolean array of shape (n_rows, n_features), True for
        the values that can be lost.
    own : DataFrame, optional
        A mask of yours over the whole cohort, whose values are lost in any case.
    """

    key: str
    mechanism: str
    data_types: tuple[str, ...]
    description: str
    fraction: float
    drawn: Drawn
    nominal_fraction: float | None
    eligible: Eligible
    own: pd.DataFrame | None = None

    @property
    def label(self) -> str:
        """A short name for tables and figures."""
        return scenario_label(self.key)

    def mask(self, cohort: Cohort, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw the mask of some rows.

        Parameters
        ----------
        cohort : Cohort
            Standardised (`Cohort.standardize`), if the scenario depends on the values.
        rows : integer array of shape (n_rows,)
            Positions of the rows that lose values. Other rows lose none: they are not in the mask.
        rng : numpy.random.Generator

        Returns
        -------
        boolean array of shape (n_rows, n_features)
            True where a value is taken away. A value that is missing already stays False.

        Raises
        ------
        ValueError
            If the scenario does not apply to this cohort; the message says what it lacks.

        Examples
        --------
        >>> from vaeimpute.cohorts import load_cohort
        >>> cohort = load_cohort("breast-gse1992")
        >>> mask = SCENARIOS["mcar_10"].mask(cohort, np.arange(5), np.random.default_rng(0))
        >>> mask.sum(axis=1)
        array([1553, 1553, 1553, 1553, 1553])
        """
        rows = self._checked(cohort, rows)
        observed = _observed(cohort, rows)
        eligible = self.eligible(cohort, rows) & observed
        mask = hide(eligible, self.fraction, rng, self.drawn)
        if self.own is not None:
            mask |= _own_values(self.own, cohort, rows) & observed
        return mask

    def expected_fraction(self, cohort: Cohort, rows: np.ndarray) -> float:
        """Return which share of the values of some rows is masked on average.

        What is missing already counts as not masked, so with missing values the share falls below
        `nominal_fraction`.

        Parameters
        ----------
        cohort : Cohort
        rows : integer array of shape (n_rows,)

        Returns
        -------
        float
            Between 0 and 1.

        Raises
        ------
        ValueError
            As `mask` does.

        Examples
        --------
        >>> from vaeimpute.cohorts import load_cohort
        >>> cohort = load_cohort("breast-gse1992").standardize(np.arange(100))
        >>> round(SCENARIOS["mnar_low_values"].expected_fraction(cohort, np.arange(100, 124)), 4)
        0.0598
        """
        rows = self._checked(cohort, rows)
        observed = _observed(cohort, rows)
        chance = self.fraction * (self.eligible(cohort, rows) & observed)
        if self.own is not None:
            chance[_own_values(self.own, cohort, rows) & observed] = 1.0
        return float(chance.mean())

    def united_with(self, own: pd.DataFrame) -> Scenario:
        """Return a scenario that takes the values of your own mask away as well.

        The rest is drawn as it would be without, so the same generator gives the same mask, plus
        yours.

        Parameters
        ----------
        own : boolean DataFrame
            True = missing, with the sample and feature ids of the cohorts it will be used on, in
            any order; further ids do no harm.

        Returns
        -------
        Scenario
            Its key ends in ``+own``. Of ``mcar(0)``, it loses exactly the values of your mask.

        Examples
        --------
        >>> from vaeimpute.cohorts import load_cohort
        >>> cohort = load_cohort("breast-gse1992")
        >>> own = cohort.values > 4  # saturated spots
        >>> scenario = SCENARIOS["mcar_10"].united_with(own)
        >>> mask = scenario.mask(cohort, np.arange(124), np.random.default_rng(0))
        >>> scenario.key, bool(mask[own].all())
        ('mcar_10+own', True)
        """
        is_mask = isinstance(own, pd.DataFrame) and own.dtypes.map(pd.api.types.is_bool_dtype).all()
        if not is_mask or not own.index.is_unique or not own.columns.is_unique:
            raise ValueError(
                "Expected a mask as a DataFrame of booleans with the cohort's ids, each once, True "
                f"= missing, but got {type(own).__name__}; of a matrix with missing values, pass "
                "matrix.isna()."
            )
        return replace(
            self,
            key=f"{self.key}+own",
            mechanism="MNAR",  # nobody knows better about a mask that anyone can pass
            description=f"{self.description}; and the values of the reader's own mask",
            nominal_fraction=None,
            own=own.astype(bool) if self.own is None else self.own | own.astype(bool),
        )

    def _checked(self, cohort: Cohort, rows: np.ndarray) -> np.ndarray:
        if cohort.data_type not in self.data_types:
            raise ValueError(
                f"Scenario {self.key!r} applies to {' and '.join(self.data_types)}, "
                f"not to {cohort.data_type} as in cohort {cohort.name!r}."
            )
        rows = np.asarray(rows)
        if rows.ndim != 1 or rows.dtype.kind not in "iu" or not rows.size:
            raise ValueError(
                f"Expected rows as a 1-d array of at least one position but got {rows.dtype} of "
                f"shape {rows.shape}; of a boolean array, pass np.flatnonzero(rows)."
            )
        return rows


BOTH = ("expression", "methylation")


def mcar(fraction: float) -> Scenario:
    """Lose the same share of every row's values, chosen uniformly.

    Parameters
    ----------
    fraction : float
        Share of each row's observed values, between 0 and 1.

    Returns
    -------
    Scenario
    """
    return Scenario(
        key=f"mcar_{_percent(fraction)}",
        mechanism="MCAR",
        data_types=BOTH,
        description=f"{_words(fraction)} of the values of each row, at random",
        fraction=_checked_share("fraction", fraction),
        drawn="within rows",
        nominal_fraction=fraction,
        eligible=_observed,
    )


def mnar_high_gc(top: float = 0.1, fraction: float = 0.5) -> Scenario:
    """Lose values of the genes with the highest GC content, which sequence badly.

    The cohort's table of features must have the column ``gc_content``, a fraction per gene. Genes
    of unknown GC content take no part, in the ranking either.

    Parameters
    ----------
    top : float
        Share of the genes of known GC content that counts as high.
    fraction : float
        Share of these genes' values that is lost.

    Returns
    -------
    Scenario
    """
    return Scenario(
        key=_key("mnar_high_gc", top, 0.1, fraction, 0.5),
        mechanism="MNAR",
        data_types=("expression",),
        description=f"{_words(fraction)} of the values, at random, of the genes whose GC content "
        f"is in the top {_words(top)}",
        fraction=_checked_share("fraction", fraction),
        drawn="among all",
        nominal_fraction=top * fraction,
        eligible=partial(_high_gc, top=_checked_share("top", top)),
    )


def mnar_whole_genes(fraction: float = 0.05) -> Scenario:
    """Lose every value of some genes, as when batch correction gives up on them.

    Parameters
    ----------
    fraction : float
        Share of the genes.

    Returns
    -------
    Scenario
    """
    return _whole_features("mnar_whole_genes", "expression", "genes", fraction)


def mnar_whole_sites(fraction: float = 0.05) -> Scenario:
    """Lose every value of some CpG sites.

    Parameters
    ----------
    fraction : float
        Share of the sites.

    Returns
    -------
    Scenario
    """
    return _whole_features("mnar_whole_sites", "methylation", "CpG sites", fraction)


def mnar_low_values(quantile: float = 0.1, fraction: float = 0.5) -> Scenario:
    """Lose low values, as when sequencing is too shallow for genes that are little expressed.

    Low is what lies below one threshold for all genes: the quantile over the whole matrix, all
    rows included. Standardise the cohort before, or the same few genes lose everything.

    Parameters
    ----------
    quantile : float
        Share of all values that counts as low. The paper's robustness figure has 5, 10, 20, 30 %.
    fraction : float
        Share of the low values that is lost.

    Returns
    -------
    Scenario

    Examples
    --------
    >>> [mnar_low_values(quantile=q).key for q in (0.05, 0.1, 0.2, 0.3)]
    ['mnar_low_values_05', 'mnar_low_values', 'mnar_low_values_20', 'mnar_low_values_30']
    """
    return Scenario(
        key=_key("mnar_low_values", quantile, 0.1, fraction, 0.5),
        mechanism="MNAR",
        data_types=("expression",),
        description=f"{_words(fraction)}, at random, of the values below the {_words(quantile)} "
        "quantile of the whole matrix",
        fraction=_checked_share("fraction", fraction),
        drawn="among all",
        nominal_fraction=quantile * fraction,
        eligible=partial(_low_values, quantile=_checked_share("quantile", quantile)),
    )


def mnar_low_coverage(threshold: int = 6, fraction: float = 1.0) -> Scenario:
    """Lose the methylation levels that too few reads stand behind.

    Parameters
    ----------
    threshold : int
        Fewest reads that are enough.
    fraction : float
        Share of the values below it that is lost. The paper's text says all, its Table 1 half
        (``fraction=0.5``).

    Returns
    -------
    Scenario
    """
    share = "every value" if fraction == 1 else f"{_words(fraction)}, at random, of the values"
    key = "mnar_low_coverage" if threshold == 6 else f"mnar_low_coverage_{threshold}"
    return Scenario(
        key=key if fraction == 1 else f"{key}_{_percent(fraction)}_lost",
        mechanism="MNAR",
        data_types=("methylation",),
        description=f"{share} whose read coverage is below {threshold}",
        fraction=_checked_share("fraction", fraction),
        drawn="among all",
        nominal_fraction=None,
        eligible=partial(_low_coverage, threshold=threshold),
    )


def _observed(cohort: Cohort, rows: np.ndarray) -> np.ndarray:
    return cohort.values.iloc[rows].notna().to_numpy()


def _high_gc(cohort: Cohort, rows: np.ndarray, *, top: float) -> np.ndarray:
    if "gc_content" not in cohort.features:
        raise ValueError(
            f"Cohort {cohort.name!r} has no GC content per gene, which mnar_high_gc needs: add a "
            "column 'gc_content' (a fraction, NaN where unknown) to its features; see "
            "vaeimpute.cohorts.with_gc_content."
        )
    gc = cohort.features["gc_content"].to_numpy(dtype=np.float64)
    if np.isnan(gc).all():
        raise ValueError(
            f"Cohort {cohort.name!r} knows the GC content of none of its genes, which "
            f"mnar_high_gc needs: take it from a table of ids like {cohort.features.index[0]!r} "
            "(gc_source, the path of a table)."
        )
    if np.nanmin(gc) < 0 or np.nanmax(gc) > 1:
        raise ValueError(
            f"Cohort {cohort.name!r}: expected gc_content between 0 and 1, got "
            f"{np.nanmin(gc):g} to {np.nanmax(gc):g}; divide percentages by 100."
        )
    # As many as lie at or above the quantile when no two are equal. Where several tie at the limit,
    # the first of them: taking all would mask more than was asked for.
    ranked = np.argsort(np.where(np.isnan(gc), np.inf, -gc), kind="stable")
    n_known = np.count_nonzero(~np.isnan(gc))
    n_high = n_known - int(np.ceil(round((1 - top) * (n_known - 1), 9)))
    is_high = np.zeros(len(gc), dtype=bool)
    is_high[ranked[:n_high]] = True
    return np.broadcast_to(is_high, (len(rows), len(gc)))


def _whole_features(key: str, data_type: str, features: str, fraction: float) -> Scenario:
    return Scenario(
        key=key if fraction == 0.05 else f"{key}_{_percent(fraction)}",
        mechanism="MNAR",
        data_types=(data_type,),
        description=f"every value of a random {_words(fraction)} of the {features}",
        fraction=_checked_share("fraction", fraction),
        drawn="by feature",
        nominal_fraction=fraction,
        eligible=_observed,
    )


def _low_values(cohort: Cohort, rows: np.ndarray, *, quantile: float) -> np.ndarray:
    values = cohort.values.to_numpy()
    threshold = np.nanquantile(values, quantile)
    low = values[rows] < threshold
    if not low.any() and not (values < threshold).any():
        raise ValueError(
            f"Cohort {cohort.name!r} has no value below its {_words(quantile)} quantile, "
            f"{threshold:g}, because that many values are the lowest one. Counts with many zeros "
            "are like that: use their logarithm, and cohort.standardize(training_rows)."
        )
    return low


def _low_coverage(cohort: Cohort, rows: np.ndarray, *, threshold: int) -> np.ndarray:
    if cohort.coverage is None:
        raise ValueError(
            f"Cohort {cohort.name!r} has no read coverage, which mnar_low_coverage needs. Arrays "
            "have no reads: choose a sequencing cohort, or one with simulated coverage."
        )
    return cohort.coverage.iloc[rows].to_numpy() < threshold


def _own_values(own: pd.DataFrame, cohort: Cohort, rows: np.ndarray) -> np.ndarray:
    samples, features = cohort.values.index[rows], cohort.values.columns
    for what, ours, theirs in (
        ("samples", samples, own.index),
        ("features", features, own.columns),
    ):
        unknown = ours.difference(theirs)
        if len(unknown):
            raise ValueError(
                f"The mask lacks {len(unknown)} {what} of cohort {cohort.name!r}, among them "
                f"{unknown[0]!r}; give it the cohort's ids, for example with reindex_like."
            )
    return own.loc[samples, features].to_numpy()


def _checked_share(what: str, share: float) -> float:
    if not 0 <= share <= 1:
        raise ValueError(f"Expected {what} between 0 and 1 but got {share}.")
    return share


def _percent(share: float) -> str:
    return f"{100 * share:02g}"


def _words(share: float) -> str:
    return "half" if share == 0.5 else f"{100 * share:g} %"


_LABELS = {
    "mcar": ("{} % at random", "at random"),
    "mnar_high_gc": ("high GC content, top {} %", "high GC content"),
    "mnar_whole_genes": ("whole genes, {} %", "whole genes"),
    "mnar_whole_sites": ("whole sites, {} %", "whole sites"),
    "mnar_low_values": ("low values, lowest {} %", "low values"),
    "mnar_low_coverage": ("below {} reads", "low coverage"),
}


def scenario_label(key: str) -> str:
    """Return a short name of a scenario, for tables and figures.

    Parameters
    ----------
    key : str
        Of one of the scenarios of this module, with any parameters.

    Returns
    -------
    str
        The key itself if it is of no scenario here.

    Examples
    --------
    >>> scenario_label("mcar_05"), scenario_label("mnar_low_values")
    ('5 % at random', 'low values')
    >>> scenario_label("mnar_low_coverage_4_50_lost+own")
    'below 4 reads, 50 % lost, and own mask'
    """
    names, number = "|".join(_LABELS), r"_(\d+(?:\.\d+)?)"
    parts = re.fullmatch(rf"({names})(?:{number})??(?:{number}_lost)?(\+own)*", key)
    if parts is None:
        return key
    name, first, lost, own = parts.groups()
    with_number, usual = _LABELS[name]
    label = usual if first is None else with_number.format(f"{float(first):g}")
    label += "" if lost is None else f", {float(lost):g} % lost"
    return label + (", and own mask" if own else "")


def _key(name: str, first: float, usual: float, fraction: float, usual_fraction: float) -> str:
    """Name a scenario by the parameters that differ from the paper's."""
    key = name if first == usual else f"{name}_{_percent(first)}"
    return key if fraction == usual_fraction else f"{key}_{_percent(fraction)}_lost"


#: The paper's scenarios by key: six for expression and five for methylation, three of them shared.
SCENARIOS: dict[str, Scenario] = {
    scenario.key: scenario
    for scenario in (
        *(mcar(fraction) for fraction in (0.05, 0.1, 0.3)),
        mnar_high_gc(),
        mnar_whole_genes(),
        mnar_low_values(),
        mnar_whole_sites(),
        mnar_low_coverage(),
    )
}


def find_scenario(scenario: str | Scenario) -> Scenario:
    """Return a scenario, which may be given by its key.

    Raises
    ------
    ValueError
        If there is none of that key.

    Examples
    --------
    >>> find_scenario("mcar_10").fraction
    0.1
    """
    if isinstance(scenario, Scenario):
        return scenario
    if scenario not in SCENARIOS:
        raise ValueError(f"Unknown scenario {scenario!r}; choose from {', '.join(SCENARIOS)}.")
    return SCENARIOS[scenario]


def scenarios_for(data_type: str) -> tuple[str, ...]:
    """Return the keys of the paper's scenarios for one kind of data, in the order of Table 1.

    Parameters
    ----------
    data_type : {"expression", "methylation"}

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> scenarios_for("methylation")
    ('mcar_05', 'mcar_10', 'mcar_30', 'mnar_whole_sites', 'mnar_low_coverage')
    """
    if data_type not in BOTH:
        raise ValueError(f"Expected data_type to be one of {BOTH}, got {data_type!r}.")
    return tuple(key for key, scenario in SCENARIOS.items() if data_type in scenario.data_types)


def scenario_table() -> pd.DataFrame:
    """Return the eleven scenarios as a table to print: the paper's Table 1.

    Returns
    -------
    DataFrame
        One row per data type and scenario. ``expected_fraction`` is the share of all values of a
        complete matrix; NaN where only the cohort's own reads tell (`Scenario.expected_fraction`).

    Examples
    --------
    >>> scenario_table()["expected_fraction"]
    data         scenario
    expression   mcar_05              0.05
                 mcar_10              0.10
                 mcar_30              0.30
                 mnar_high_gc         0.05
                 mnar_whole_genes     0.05
                 mnar_low_values      0.05
    methylation  mcar_05              0.05
                 mcar_10              0.10
                 mcar_30              0.30
                 mnar_whole_sites     0.05
                 mnar_low_coverage     NaN
    Name: expected_fraction, dtype: float64
    """
    rows = [
        {
            "data": data_type,
            "scenario": key,
            "mechanism": SCENARIOS[key].mechanism,
            "masked": SCENARIOS[key].description,
            "expected_fraction": SCENARIOS[key].nominal_fraction,
        }
        for data_type in BOTH
        for key in scenarios_for(data_type)
    ]
    return pd.DataFrame(rows).set_index(["data", "scenario"])


def trial_rng(seed: int, key: str, trial: int) -> np.random.Generator:
    """Return the generator of one trial of a scenario.

    It depends on nothing but its arguments: trial 7 is the same alone and as one of ten.

    Parameters
    ----------
    seed : int
        The root of all trials.
    key : str
        Key of the scenario.
    trial : int
        From 0.

    Returns
    -------
    numpy.random.Generator

    Examples
    --------
    >>> ten = [trial_rng(0, "mcar_10", trial).random() for trial in range(10)]
    >>> ten[7] == trial_rng(0, "mcar_10", 7).random()
    True
    """
    return generator(seed, "mask", key, trial)


def trial_masks(
    key: str, cohort: Cohort, rows: np.ndarray, n_trials: int, seed: int
) -> list[np.ndarray]:
    """Draw the masks of several trials of one of the paper's scenarios.

    Parameters
    ----------
    key : str
        Key of `SCENARIOS`.
    cohort : Cohort
    rows : integer array of shape (n_rows,)
    n_trials : int
    seed : int
        The root of all trials.

    Returns
    -------
    list of n_trials boolean arrays of shape (n_rows, n_features)

    Examples
    --------
    >>> from vaeimpute.cohorts import load_cohort
    >>> masks = trial_masks("mcar_05", load_cohort("breast-gse1992"), np.arange(3), 2, seed=0)
    >>> [int(mask.sum()) for mask in masks]
    [2328, 2328]
    """
    return [SCENARIOS[key].mask(cohort, rows, trial_rng(seed, key, t)) for t in range(n_trials)]
