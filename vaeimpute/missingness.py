"""The paper's Table 1: ways of losing values, as pure functions of cohort, rows and generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from vaeimpute.cohorts import Cohort

MaskFunction = Callable[[Cohort, np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
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
    expected_fraction : float
        Share of the values in the given rows that it masks.
    draw : callable
        ``draw(cohort, rows, rng)`` returns the mask.
    """

    key: str
    mechanism: str
    data_types: tuple[str, ...]
    description: str
    expected_fraction: float
    draw: MaskFunction

    def mask(self, cohort: Cohort, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw the mask of some rows.

        Parameters
        ----------
        cohort : Cohort
        rows : integer array of shape (n_rows,)
            Positions of the rows that lose values; no other row is looked at or touched.
        rng : numpy.random.Generator

        Returns
        -------
        boolean array of shape (n_rows, n_features)
            True where a value is taken away. A value that is missing already stays False.

        Raises
        ------
        ValueError
            If the scenario does not apply to this kind of cohort.
        """
        if cohort.data_type not in self.data_types:
            raise ValueError(
                f"Scenario {self.key!r} applies to {' and '.join(self.data_types)}, "
                f"not to {cohort.data_type} as in cohort {cohort.name!r}."
            )
        return self.draw(cohort, rows, rng)


def mask_at_random(
    cohort: Cohort, rows: np.ndarray, rng: np.random.Generator, *, fraction: float
) -> np.ndarray:
    """Take away the same share of the observed values of every row, chosen uniformly.

    Parameters
    ----------
    cohort : Cohort
    rows : integer array of shape (n_rows,)
    rng : numpy.random.Generator
    fraction : float
        Share of each row's observed values, between 0 and 1; the count is rounded.

    Returns
    -------
    boolean array of shape (n_rows, n_features)

    Examples
    --------
    >>> from vaeimpute.cohorts import load_cohort
    >>> cohort = load_cohort("breast-gse1992")
    >>> mask = mask_at_random(cohort, np.arange(5), np.random.default_rng(0), fraction=0.1)
    >>> mask.sum(axis=1)
    array([1553, 1553, 1553, 1553, 1553])
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"Expected a fraction between 0 and 1 but got {fraction}.")
    observed = cohort.values.iloc[rows].notna().to_numpy()
    n_masked = np.rint(fraction * observed.sum(axis=1)).astype(int)
    # Rank uniform draws within each row; missing values draw 2 and so rank last.
    order = np.argsort(np.where(observed, rng.random(observed.shape), 2.0), axis=1)
    mask = np.zeros_like(observed)
    np.put_along_axis(mask, order, np.arange(observed.shape[1]) < n_masked[:, None], axis=1)
    return mask


SCENARIOS = {
    scenario.key: scenario
    for scenario in (
        Scenario(
            key=f"mcar_{percent:02d}",
            mechanism="MCAR",
            data_types=("expression", "methylation"),
            description=f"{percent} % of the values of each row, at random",
            expected_fraction=percent / 100,
            draw=partial(mask_at_random, fraction=percent / 100),
        )
        for percent in (5, 10, 30)
    )
}


def scenario_table() -> pd.DataFrame:
    """Return the scenarios as a table to print: the paper's Table 1.

    Returns
    -------
    DataFrame
        One row per scenario, indexed by key.

    Examples
    --------
    >>> scenario_table()["expected_fraction"].to_dict()
    {'mcar_05': 0.05, 'mcar_10': 0.1, 'mcar_30': 0.3}
    """
    rows = [
        {
            "scenario": s.key,
            "mechanism": s.mechanism,
            "data": " and ".join(s.data_types),
            "masked": s.description,
            "expected_fraction": s.expected_fraction,
        }
        for s in SCENARIOS.values()
    ]
    return pd.DataFrame(rows).set_index("scenario")
