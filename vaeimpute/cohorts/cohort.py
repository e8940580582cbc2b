"""A cohort: one matrix of measurements with everything that is known about its rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from vaeimpute.exceptions import CohortError, some
from vaeimpute.tables.checks import check_finite

DATA_TYPES = ("expression", "methylation")


@dataclass(frozen=True, eq=False)
class Cohort:
    """A matrix of measurements, samples in rows and features in columns, with its annotation.

    Parameters
    ----------
    name : str
        Short name, as in ``load_cohort(name)``.
    values : DataFrame of shape (n_samples, n_features)
        Measurements; NaN means missing. Row and column labels are the sample and feature ids.
    clinical : DataFrame of shape (n_samples, n_variables)
        One row per sample, in the order of `values`.
    units : str
        What one value is, for axis labels: ``"log2 ratio to the reference"``.
    data_type : {"expression", "methylation"}
        Decides which missingness scenarios apply.
    features : DataFrame of shape (n_features, n_annotations), optional
        One row per feature, in the order of `values`. Without it, a table with no columns.
    coverage : DataFrame of shape (n_samples, n_features), optional
        Sequencing reads behind each value. Arrays have none.
    is_log : bool
        Whether the values are logarithms or their negatives; no other is taken then.
    stratify_by : str, optional
        The clinical column whose levels every split keeps in proportion.
    citation, licence : str
        Whom to cite, and on what terms the data may be used.
    notes : tuple of str
        What a reader has to know: what was dropped, what was simulated.

    Raises
    ------
    CohortError
        If ids repeat, tables disagree about rows or columns, or a value is not a number or is
        infinite. The message names the first offending ids.

    Examples
    --------
    >>> import pandas as pd
    >>> values = pd.DataFrame({"TP53": [0.1, -0.4], "EGFR": [1.2, None]}, index=["s1", "s2"])
    >>> clinical = pd.DataFrame({"grade": [2, 3]}, index=["s1", "s2"])
    >>> Cohort("toy", values, clinical, units="log2 ratio", data_type="expression")
    <Cohort 'toy': 2 samples x 2 features, expression (log2 ratio), 25.0 % missing>
    """

    name: str
    values: pd.DataFrame
    clinical: pd.DataFrame
    units: str
    data_type: str
    features: pd.DataFrame = None  # filled in __post_init__
    coverage: pd.DataFrame | None = None
    is_log: bool = False
    stratify_by: str | None = None
    citation: str = ""
    licence: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.features is None:
            object.__setattr__(self, "features", pd.DataFrame(index=self.values.columns))
        self._check_ids()
        self._check_numbers("values", self.values)
        if self.coverage is not None:
            self._check_numbers("coverage", self.coverage)
        if self.data_type not in DATA_TYPES:
            raise CohortError(
                f"{self._who}: data_type must be one of {DATA_TYPES}, got {self.data_type!r}."
            )
        if self.stratify_by is not None and self.stratify_by not in self.clinical:
            raise CohortError(
                f"{self._who}: stratify_by={self.stratify_by!r} is not a clinical "
                f"column; there are {list(self.clinical.columns)}."
            )

    @property
    def _who(self) -> str:
        return f"Cohort {self.name!r}"

    def _check_ids(self) -> None:
        samples, features = self.values.index, self.values.columns
        if self.values.empty:
            raise CohortError(
                f"{self._who}: values has shape {self.values.shape}; expected at "
                "least one sample and one feature."
            )
        for what, ids in (("sample", samples), ("feature", features)):
            if ids.hasnans:
                raise CohortError(f"{self._who}: {ids.isna().sum()} {what} ids are missing.")
            if not ids.is_unique:
                repeated = ids[ids.duplicated()].unique()
                raise CohortError(
                    f"{self._who}: {len(repeated)} {what} ids occur more than once: "
                    f"{some(repeated)}. Merge or rename them."
                )
        coverage = self.values if self.coverage is None else self.coverage
        for table, got, expected, what in (
            ("clinical", self.clinical.index, samples, "samples"),
            ("features", self.features.index, features, "features"),
            ("coverage", coverage.index, samples, "samples"),
            ("coverage", coverage.columns, features, "features"),
        ):
            if got.equals(expected):
                continue
            missing, extra = expected.difference(got), got.difference(expected)
            if len(missing) or len(extra):
                raise CohortError(
                    f"{self._who}: {table} and values have different {what}. "
                    f"Not in {table}: {some(missing)}. Not in values: {some(extra)}."
                )
            raise CohortError(
                f"{self._who}: {table} has the {what} of values in another order, or several "
                f"times; bring them in order, for example with {table}.loc."
            )

    def _check_numbers(self, table: str, frame: pd.DataFrame) -> None:
        numeric = frame.dtypes.map(lambda d: isinstance(d, np.dtype) and d.kind in "fiu")
        if not numeric.all():
            bad = frame.columns[~numeric]
            raise CohortError(
                f"{self._who}: {len(bad)} columns of {table} are not numeric: "
                f"{some(bad)} ({frame[bad[0]].dtype})."
            )
        check_finite(f"{self._who}, {table}", frame)

    def __repr__(self) -> str:
        rows, columns = self.values.shape
        return (
            f"<Cohort {self.name!r}: {rows} samples x {columns} features, {self.data_type} "
            f"({self.units}), {self.missing_fraction:.1%} missing>".replace("%", " %")
        )

    @property
    def missing_fraction(self) -> float:
        """Share of the values that are missing, between 0 and 1."""
        return float(self.values.isna().to_numpy().mean())

    @property
    def strata(self) -> pd.Series | None:
        """The labels that splits keep in proportion, or None."""
        return None if self.stratify_by is None else self.clinical[self.stratify_by]

    def noted(self, note: str, **changes: Any) -> Cohort:
        """Return the cohort with something changed, and with a note that says what.

        Parameters
        ----------
        note : str
        **changes
            Attributes, as for `dataclasses.replace`.

        Returns
        -------
        Cohort
        """
        return replace(self, **changes, notes=(*self.notes, note))

    def select_features(self, columns: Sequence[str] | pd.Index) -> Cohort:
        """Return the cohort with only these features, in this order.

        Parameters
        ----------
        columns : sequence of feature ids

        Returns
        -------
        Cohort

        Raises
        ------
        CohortError
            If a feature is not in the cohort.
        """
        unknown = pd.Index(columns).difference(self.values.columns)
        if len(unknown):
            raise CohortError(f"{self._who} has no features {some(unknown)}.")
        return replace(
            self,
            values=self.values.loc[:, columns],
            features=self.features.loc[columns],
            coverage=None if self.coverage is None else self.coverage.loc[:, columns],
        )

    def standardize(self, rows: np.ndarray) -> Cohort:
        """Z-score every feature with the mean and standard deviation of some of the rows.

        The other rows have no part in it, so standardising with the training rows leaks nothing
        about the test rows. A feature that is constant in `rows` is centred only.

        Parameters
        ----------
        rows : integer array
            Positions of the rows that the means and standard deviations come from.

        Returns
        -------
        Cohort
            Same ids, values in standard deviations of `rows`.

        Raises
        ------
        CohortError
            If a feature has no value at all in `rows`.
        """
        # 0.6 s that not every user of Cohort needs
        from sklearn.preprocessing import StandardScaler

        values = self.values.to_numpy(dtype=np.float64)
        empty = np.isnan(values[rows]).all(axis=0)
        if empty.any():
            raise CohortError(
                f"{self._who}: {empty.sum()} features have no value in the rows to "
                f"standardise with: {some(self.values.columns[empty])}."
            )
        scaled = StandardScaler().fit(values[rows]).transform(values)
        return replace(
            self,
            units="standard deviations",
            values=pd.DataFrame(scaled, self.values.index, self.values.columns),
        )


@dataclass(frozen=True, eq=False)
class Truth:
    """What the simulator of a cohort knows and its reader does not.

    Attributes
    ----------
    latent : DataFrame of shape (n_samples, n_latent)
        State of each sample.
    noise_free : DataFrame of shape (n_samples, n_features)
        What the values would be if nothing but the latent state decided about them.
    """

    latent: pd.DataFrame
    noise_free: pd.DataFrame
