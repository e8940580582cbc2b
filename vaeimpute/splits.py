"""Training, validation and test rows as the paper draws them ("Missing data simulations")."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from vaeimpute.seeding import integer


@dataclass(frozen=True, eq=False)
class Split:
    """Row positions of one division of a cohort; every array is sorted.

    Attributes
    ----------
    train : integer array
        All training rows: the final model is fitted to these.
    tune : integer array
        The part of `train` that hyper-parameters are tried on.
    validation : integer array
        The rest of `train`, on which the hyper-parameters are chosen; but the lambda of the shift
        correction is chosen by `vaeimpute.imputers.VAEImputer`, on rows that it draws itself.
    test : integer array
        Rows that nothing is fitted to; values are masked only here.
    """

    train: np.ndarray
    tune: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    def for_tuning(self) -> Split:
        """Return the division in which hyper-parameters are chosen.

        Its models are fitted to the rows to try on, and the rows to choose on take the place of
        the test rows, which are in no part of it.
        """
        return replace(self, train=self.tune, test=self.validation)


def split_rows(
    n_samples: int,
    *,
    strata: pd.Series | np.ndarray | None = None,
    test_fraction: float = 0.2,
    validation_fraction: float = 0.2,
    seed: int = 0,
) -> Split:
    """Split rows 80/20 into training and test, and the training rows 80/20 again for validation.

    Parameters
    ----------
    n_samples : int
        Number of rows.
    strata : array-like of shape (n_samples,), optional
        Labels whose proportions both splits keep. Rows without a label form a stratum of their
        own; strata of fewer than five rows are pooled, because they cannot be split in proportion,
        and so are the smallest where there are more strata than rows in a part.
    test_fraction, validation_fraction : float
        Shares, of all rows and of the training rows.
    seed : int
        Root seed.

    Returns
    -------
    Split

    Raises
    ------
    ValueError
        If there are too few rows for three non-empty parts, or `strata` has another length.

    Examples
    --------
    >>> split = split_rows(100, seed=1)
    >>> len(split.train), len(split.tune), len(split.validation), len(split.test)
    (80, 64, 16, 20)
    """
    if strata is not None and len(strata) != n_samples:
        raise ValueError(f"Expected {n_samples} strata labels, one per row, but got {len(strata)}.")
    if n_samples < 5:
        raise ValueError(f"Expected at least 5 rows to split three ways, but got {n_samples}.")
    n_test = int(np.ceil(test_fraction * n_samples))
    n_validation = int(np.ceil(validation_fraction * (n_samples - n_test)))
    labels = None
    if strata is not None:
        labels = _poolable(pd.Series(np.asarray(strata)), at_most=min(n_test, n_validation))
    rows = np.arange(n_samples)
    train, test = _halve(rows, labels, test_fraction, integer(seed, "test rows"))
    tune, validation = _halve(train, labels, validation_fraction, integer(seed, "validation rows"))
    return Split(train=train, tune=tune, validation=validation, test=test)


def _poolable(strata: pd.Series, at_most: int, smallest: int = 5) -> np.ndarray:
    """Label missing strata, and pool strata that are too small to be split twice."""
    labels = strata.astype("object").where(strata.notna(), "missing").astype(str)
    sizes = labels.map(labels.value_counts())
    labels = labels.where(sizes >= smallest, "pooled")
    pooled = labels == "pooled"
    if pooled.any() and pooled.sum() < smallest:  # too small still: it joins the largest stratum
        others = labels[~pooled]
        labels = labels.where(~pooled, others.mode().iloc[0] if len(others) else "pooled")
    # Every stratum needs a row in the smallest part.
    while labels.nunique() > max(at_most, 1):
        labels = labels.replace(labels.value_counts(sort=True).index[-2], "pooled")
        labels = labels.replace(labels.value_counts(sort=True).index[-1], "pooled")
    return labels.to_numpy()


def _halve(
    rows: np.ndarray, labels: np.ndarray | None, fraction: float, random_state: int
) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.model_selection import train_test_split

    kept, held_out = train_test_split(
        rows,
        test_size=fraction,
        stratify=None if labels is None else labels[rows],
        random_state=random_state,
    )
    return np.sort(kept), np.sort(held_out)
