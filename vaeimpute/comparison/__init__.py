"""Which method to take for a matrix: values of its own are hidden, and each has to restore them."""

from vaeimpute.comparison.holdout import (
    HOLD_OUTS,
    Comparison,
    choose,
    compare_on,
    guess_scenario,
    too_much,
)

__all__ = ["HOLD_OUTS", "Comparison", "choose", "compare_on", "guess_scenario", "too_much"]
