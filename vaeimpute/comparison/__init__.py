"""Which method to take for a matrix: values of its own are hidden, and each has to restore them."""

from vaeimpute.comparison.holdout import (
    SCENARIOS,
    Comparison,
    choose,
    compare_on,
    guess_scenario,
)

__all__ = ["SCENARIOS", "Comparison", "choose", "compare_on", "guess_scenario"]
