"""The paper's experiments by name: which scenarios, on which kind of data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sklearn.base import BaseEstimator

from vaeimpute.cohorts import Cohort, negative_log, with_gc_content, with_simulated_coverage
from vaeimpute.exceptions import ExperimentError, some
from vaeimpute.experiments.grid import Grid
from vaeimpute.experiments.learning_curve import build_learning_curve
from vaeimpute.experiments.measures import Calibration, ClinicalConcordance, Measure
from vaeimpute.experiments.vae_variants import (
    build_architectures,
    build_batch_sizes,
    build_betas,
    build_betas_along_training,
    build_learning_rates,
    build_noise_schemes,
)
from vaeimpute.methods import METHODS, build_methods
from vaeimpute.missingness import (
    SCENARIOS,
    Scenario,
    mnar_low_coverage,
    mnar_low_values,
    scenarios_for,
)
from vaeimpute.profiles import Profile
from vaeimpute.seeding import generator
from vaeimpute.splits import Split, split_rows


@dataclass(frozen=True)
class Experiment:
    """An experiment that `vaeimpute reproduce` runs.

    Attributes
    ----------
    name : str
        Of the table that it writes.
    about : str
        What it measures, and which figure of the paper it repeats.
    data_type : {"expression", "methylation"}
        The kind of cohort that it applies to.
    scenarios : tuple of Scenario
    methods : callable
        ``methods(profile, seed, shape)`` builds the imputers by name, for a training matrix of
        shape (n_samples, n_features); by default all.
    tuning : bool
        Whether hyper-parameters are chosen: then models learn from the rows to try on, and
        validation rows take the place of the test rows.
    measure : Measure, optional
        What is computed of every imputation instead of the errors.
    needs_outcomes : bool
        Whether the clinical table has to have a grade, or survival.
    n_features : int, optional
        How many of the features to take at most, other ones in each split: so that many networks
        can be trained where there is no GPU.
    """

    name: str
    about: str
    data_type: str
    scenarios: tuple[Scenario, ...]
    methods: Callable[[Profile, int, tuple[int, int]], Mapping[str, BaseEstimator]] = (
        lambda profile, seed, shape: build_methods(profile, seed)
    )
    tuning: bool = False
    measure: Measure | None = None
    needs_outcomes: bool = False
    n_features: int | None = None

    def obstacle(self, cohort: Cohort) -> str | None:
        """Say why the experiment does not apply to a cohort, or None if it does."""
        who = f"cohort {cohort.name!r}"
        if cohort.data_type != self.data_type:
            return f"applies to {self.data_type}, not to {cohort.data_type} as in {who}"
        if self.needs_outcomes and not (
            "grade" in cohort.clinical or {"time", "event"} <= set(cohort.clinical)
        ):
            return (
                "needs a clinical table with the column 'grade', or with 'time' and 'event'; that "
                f"of {who} has {some(cohort.clinical.columns)}"
            )
        return None

    def split(self, cohort: Cohort, seed: int) -> Split:
        """Return the rows to learn from and to impute."""
        split = split_rows(len(cohort.values), strata=cohort.strata, seed=seed)
        return split.for_tuning() if self.tuning else split

    def grid(
        self,
        cohort: Cohort,
        profile: Profile,
        seed: int,
        without: Sequence[str] = (),
        only: Sequence[str] = (),
    ) -> Grid:
        """Prepare the grid of the experiment.

        Parameters
        ----------
        cohort : Cohort
            As `prepare_cohort` returns it.
        profile : Profile
        seed : int
            Root of the split, the masks and the imputers.
        without : sequence of str
            Methods to leave out.
        only : sequence of str
            The methods to keep, if any is named; also those that are not in the grid.

        Returns
        -------
        Grid

        Raises
        ------
        ValueError
            If the experiment or a scenario does not apply to the cohort, or a method is unknown.
        """
        split = self.split(cohort, seed)
        if self.n_features and self.n_features < cohort.values.shape[1]:
            names = cohort.values.columns.to_numpy()
            drawn = generator(seed, "features").choice(names, self.n_features, replace=False)
            cohort = cohort.select_features(drawn)
        methods = self.methods(profile, seed, (len(split.train), cohort.values.shape[1]))
        more = {method.label for method in METHODS.values()} & (set(only) - methods.keys())
        methods = {**methods, **build_methods(profile, seed, only=more)} if more else methods
        for name in (*without, *only):
            if name not in methods:
                raise ValueError(f"there is no method {name!r} in {list(methods)}.")
        chosen = set(only or methods) - set(without)
        methods = {name: imputer for name, imputer in methods.items() if name in chosen}
        return Grid(
            cohort, methods, self.scenarios, n_trials=profile.n_trials, seed=seed, split=split,
            measure=self.measure,
        )  # fmt: skip


def _scenarios(*keys: str) -> tuple[Scenario, ...]:
    return tuple(SCENARIOS[key] for key in keys)


#: The experiments by name.
EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            "expression_errors",
            "errors of all methods in the six expression scenarios (Figure 1)",
            "expression",
            _scenarios(*scenarios_for("expression")),
        ),
        Experiment(
            "low_values",
            "errors of all methods as 5, 10, 20 and 30 % of the values count as low (Figure 2)",
            "expression",
            tuple(mnar_low_values(quantile=quantile) for quantile in (0.05, 0.1, 0.2, 0.3)),
        ),
        Experiment(
            "methylation_errors",
            "errors of all methods in the five methylation scenarios, and half of low coverage "
            "(Figure 3)",
            "methylation",
            # Every value of low coverage is the same mask in all trials; half of them is not.
            (*_scenarios(*scenarios_for("methylation")), mnar_low_coverage(fraction=0.5)),
        ),
        Experiment(
            "architectures",
            "errors of VAEs with three and five hidden layers on validation rows (Figure S1)",
            "expression",
            _scenarios("mcar_10"),
            lambda profile, seed, shape: build_architectures(profile, seed, shape[1]),
            tuning=True,
        ),
        Experiment(
            "learning_rates",
            "errors of VAEs that learn at several rates on validation rows",
            "expression",
            _scenarios("mcar_10"),
            lambda profile, seed, shape: build_learning_rates(profile, seed),
            tuning=True,
        ),
        Experiment(
            "batch_sizes",
            "errors of VAEs that learn from batches of several sizes on validation rows",
            "expression",
            _scenarios("mcar_10"),
            lambda profile, seed, shape: build_batch_sizes(profile, seed, shape[0]),
            tuning=True,
        ),
        Experiment(
            "beta_vae",
            "errors of beta-VAEs and of autoencoders without probabilities (Figure 5)",
            "expression",
            _scenarios("mcar_05", "mcar_10", "mcar_30"),
            lambda profile, seed, shape: build_betas(profile, seed),
        ),
        Experiment(
            "calibration",
            "errors of all methods, and interval coverage of those that have intervals",
            "expression",
            _scenarios("mcar_10", "mnar_whole_genes"),
            measure=Calibration(),
        ),
        Experiment(
            "beta_calibration",
            "errors and interval coverage of beta-VAEs, below 1 and above, along their training "
            "(3000 features)",
            "expression",
            _scenarios("mcar_10"),
            lambda profile, seed, shape: build_betas_along_training(profile, seed),
            measure=Calibration(),
            n_features=3000,
        ),
        Experiment(
            "noise_schemes",
            "errors of networks that learn with noise in the latent layer, the input, both or none "
            "(3000 features)",
            "expression",
            _scenarios("mcar_10", "mcar_30"),
            lambda profile, seed, shape: build_noise_schemes(profile, seed),
            n_features=3000,
        ),
        Experiment(
            "learning_curve",
            "errors of methods that learn from all training rows, or from a part of them "
            "(1000 features)",
            "expression",
            _scenarios("mcar_10"),
            lambda profile, seed, shape: build_learning_curve(profile, seed, shape[0]),
            n_features=1000,
        ),
        Experiment(
            "clinical_concordance",
            "agreement with the true correlations with grade and survival (Table 2, Figure 4)",
            "expression",
            _scenarios("mcar_10", "mnar_high_gc", "mnar_whole_genes", "mnar_low_values"),
            measure=ClinicalConcordance(n_draws=10),
            needs_outcomes=True,
        ),
    )
}


def find_experiments(names: Sequence[str]) -> list[Experiment]:
    """Return experiments by name, all if none is named.

    Raises
    ------
    ExperimentError
        If there is none of that name.
    """
    for name in names:
        if name not in EXPERIMENTS:
            known = ", ".join(EXPERIMENTS)
            raise ExperimentError(f"Unknown experiment {name!r}; choose from {known}.")
    return [EXPERIMENTS[name] for name in dict.fromkeys(names or EXPERIMENTS)]


def prepare_cohort(cohort: Cohort, profile: Profile, seed: int) -> Cohort:
    """Give a cohort what the experiments need and it has not, as the chapters do.

    Parameters
    ----------
    cohort : Cohort
    profile : Profile
        Says where GC content comes from.
    seed : int
        Of what is simulated.

    Returns
    -------
    Cohort
        Genes with GC content. Methylation levels as negative logarithms, with the read coverage
        simulated if there is none. Its notes say what was added.
    """
    if cohort.data_type == "expression":
        known = "gc_content" in cohort.features
        return cohort if known else with_gc_content(cohort, profile.gc_source)
    if not cohort.is_log:
        cohort = negative_log(cohort)
    return cohort if cohort.coverage is not None else with_simulated_coverage(cohort, seed=seed)
