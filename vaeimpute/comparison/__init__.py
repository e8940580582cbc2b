"""Which method to take for a matrix: values of its own are hidden, and each has to restore them."""

from vaeimpute.comparison.candidates import METHODS, Method, build_imputer, closed_form_device
from vaeimpute.comparison.holdout import SCENARIOS, Comparison, compare_on, guess_scenario

__all__ = [
    "METHODS",
    "SCENARIOS",
    "Comparison",
    "Method",
    "build_imputer",
    "closed_form_device",
    "compare_on",
    "guess_scenario",
]
