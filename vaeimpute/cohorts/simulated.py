"""Cohorts that are simulated, so that the truth behind every value is known."""

from vaeimpute.cohorts.simulated_expression import GliomaTruth, simulate_glioma, simulated_glioma
from vaeimpute.cohorts.simulated_methylome import (
    MethylomeTruth,
    simulate_methylome,
    simulated_methylome,
)

__all__ = [
    "GliomaTruth",
    "MethylomeTruth",
    "simulate_glioma",
    "simulate_methylome",
    "simulated_glioma",
    "simulated_methylome",
]
