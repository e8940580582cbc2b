"""Numbers that say how good an imputation is."""

from vaeimpute.evaluation.errors import mean_absolute_error, root_mean_squared_error
from vaeimpute.evaluation.summary import compare_methods, summarize

__all__ = ["compare_methods", "mean_absolute_error", "root_mean_squared_error", "summarize"]
