"""The paper's experiments: grids of units of work that run in parallel and can be resumed.

`run_experiment` takes anything; `catalogue` has the paper's experiments by name, and
`vaeimpute.profiles` the sizes to run them in.
"""

from vaeimpute.experiments.grid import Grid, GridError, Results, run_experiment
from vaeimpute.experiments.measures import Calibration, ClinicalConcordance

__all__ = ["Calibration", "ClinicalConcordance", "Grid", "GridError", "Results", "run_experiment"]
