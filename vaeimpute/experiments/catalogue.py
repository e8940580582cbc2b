"""The paper's experiments by name: which scenarios, on which kind of data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vaeimpute.cohorts import Cohort, negative_log, with_gc_content, with_simulated_coverage
from vaeimpute.experiments.grid import Grid
from vaeimpute.experiments.methods import build_methods
from vaeimpute.experiments.profiles import Profile
from vaeimpute.missingness import SCENARIOS, Scenario, mnar_low_values, scenarios_for


class ExperimentError(ValueError):
    """There is no such experiment, or it does not apply to the cohort; the message says why."""


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
    """

    name: str
    about: str
    data_type: str
    scenarios: tuple[Scenario, ...]

    def grid(self, cohort: Cohort, profile: Profile, seed: int) -> Grid:
        """Prepare the grid of the experiment.

        Parameters
        ----------
        cohort : Cohort
            As `prepare_cohort` returns it.
        profile : Profile
        seed : int
            Root of the split, the masks and the imputers.

        Returns
        -------
        Grid
        """
        methods = build_methods(profile, seed)
        return Grid(cohort, methods, self.scenarios, n_trials=profile.n_trials, seed=seed)


def _paper_scenarios(data_type: str) -> tuple[Scenario, ...]:
    return tuple(SCENARIOS[key] for key in scenarios_for(data_type))


#: The experiments by name.
EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            "expression_errors",
            "errors of all methods in the six expression scenarios (Figure 1, Table S1)",
            "expression",
            _paper_scenarios("expression"),
        ),
        Experiment(
            "low_values",
            "errors of all methods as 5, 10, 20 and 30 % of the values count as low (Figure 2)",
            "expression",
            tuple(mnar_low_values(quantile=quantile) for quantile in (0.05, 0.1, 0.2, 0.3)),
        ),
        Experiment(
            "methylation_errors",
            "errors of all methods in the five methylation scenarios (Figure 3)",
            "methylation",
            _paper_scenarios("methylation"),
        ),
    )
}


def choose_experiments(names: Sequence[str], cohort: Cohort) -> list[Experiment]:
    """Find experiments by name.

    Parameters
    ----------
    names : sequence of str
        None for all that apply to the cohort.
    cohort : Cohort

    Returns
    -------
    list of Experiment

    Raises
    ------
    ExperimentError
        If a name is unknown, or that experiment does not apply to the cohort.
    """
    check_names(names)
    chosen = [EXPERIMENTS[name] for name in dict.fromkeys(names or EXPERIMENTS)]
    fitting = [experiment for experiment in chosen if experiment.data_type == cohort.data_type]
    if names and len(fitting) < len(chosen):
        other = next(experiment for experiment in chosen if experiment not in fitting)
        raise ExperimentError(
            f"Experiment {other.name!r} applies to {other.data_type}, not to {cohort.data_type} as "
            f"in cohort {cohort.name!r}."
        )
    return fitting


def check_names(names: Sequence[str]) -> None:
    """Raise ExperimentError if a name is that of no experiment."""
    for name in names:
        if name not in EXPERIMENTS:
            raise ExperimentError(
                f"Unknown experiment {name!r}; choose from {', '.join(EXPERIMENTS)}."
            )


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
        if "gc_content" in cohort.features:
            return cohort
        return with_gc_content(cohort, profile.gc_source, seed=seed)
    if cohort.values.min(axis=None) >= 0 and cohort.values.max(axis=None) <= 1:
        cohort = negative_log(cohort)
    return cohort if cohort.coverage is not None else with_simulated_coverage(cohort, seed=seed)
