"""The grid cohort x scenario x trial x imputer, one tidy row each."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from tqdm import tqdm

from vaeimpute.cohorts import Cohort
from vaeimpute.evaluation import mean_absolute_error, root_mean_squared_error
from vaeimpute.missingness import SCENARIOS, Scenario, trial_rng
from vaeimpute.splits import Split, split_rows


def run_experiment(
    cohort: Cohort,
    imputers: Mapping[str, BaseEstimator],
    scenarios: Iterable[str | Scenario],
    *,
    n_trials: int = 10,
    seed: int = 0,
    split: Split | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Mask the test rows in several ways, impute them with several methods, and measure the error.

    Every value is standardised with the training rows' means and standard deviations first. An
    imputer is fitted once, to all training rows; trials differ in their masks only, as in the
    paper (section "Missing data simulations").

    Parameters
    ----------
    cohort : Cohort
        In its own units.
    imputers : mapping of str to estimator
        Fitted in place, in this order.
    scenarios : iterable of str or Scenario
        Keys of `vaeimpute.missingness.SCENARIOS`, or scenarios with other parameters.
    n_trials : int
        Masks drawn per scenario. Trial 7 has the same mask whatever the number of trials.
    seed : int
        Root of the split and the masks.
    split : Split, optional
        Instead of the one that `seed` gives.
    progress : bool
        Show a bar over imputers, scenarios and trials.

    Returns
    -------
    DataFrame
        One row per scenario, trial and method: ``cohort``, ``scenario``, ``trial``, ``method``,
        ``mae`` and ``rmse`` (standard deviations of the training rows), ``n_missing`` (masked
        entries), ``seconds`` (imputing them).

    Raises
    ------
    ValueError
        If a scenario is unknown or does not apply to the cohort.

    Examples
    --------
    >>> from vaeimpute.cohorts import load_cohort
    >>> from vaeimpute.imputers import MeanImputer
    >>> cohort = load_cohort("breast-gse1992")
    >>> table = run_experiment(cohort, {"mean": MeanImputer()}, ["mcar_10"], n_trials=1)
    >>> table[["method", "n_missing"]].to_dict("records")
    [{'method': 'mean', 'n_missing': 38825}]
    """
    chosen = [_find_scenario(scenario) for scenario in scenarios]
    if split is None:
        split = split_rows(len(cohort.values), strata=cohort.strata, seed=seed)
    standardized = cohort.standardize(split.train)
    values = standardized.values.to_numpy()
    true = values[split.test]

    bar = tqdm(total=len(imputers) * (1 + len(chosen) * n_trials), disable=not progress)
    rows = []
    with bar:
        for method, imputer in imputers.items():
            bar.set_description(f"{method}: fit")
            imputer.fit(values[split.train])
            bar.update()
            for scenario in chosen:
                bar.set_description(f"{method}: {scenario.key}")
                for trial in range(n_trials):
                    rng = trial_rng(seed, scenario.key, trial)
                    mask = scenario.mask(standardized, split.test, rng)
                    start = time.perf_counter()
                    imputed = imputer.transform(np.where(mask, np.nan, true))
                    seconds = time.perf_counter() - start
                    rows.append(
                        {
                            "cohort": cohort.name,
                            "scenario": scenario.key,
                            "trial": trial,
                            "method": method,
                            "mae": mean_absolute_error(true, imputed, mask),
                            "rmse": root_mean_squared_error(true, imputed, mask),
                            "n_missing": int(mask.sum()),
                            "seconds": seconds,
                        }
                    )
                    bar.update()
    return pd.DataFrame(rows)


def _find_scenario(scenario: str | Scenario) -> Scenario:
    if isinstance(scenario, Scenario):
        return scenario
    if scenario not in SCENARIOS:
        raise ValueError(f"Unknown scenario {scenario!r}; choose from {list(SCENARIOS)}.")
    return SCENARIOS[scenario]
