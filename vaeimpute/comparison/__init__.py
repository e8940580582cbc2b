"""Which method to take for a matrix: values of its own are hidden, and each has to restore them."""

from vaeimpute.comparison.holdout import Comparison, choose, compare_on

__all__ = ["Comparison", "choose", "compare_on"]
