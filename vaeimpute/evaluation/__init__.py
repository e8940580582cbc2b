"""Numbers that say how good an imputation is."""

from vaeimpute.evaluation.errors import mean_absolute_error, root_mean_squared_error

__all__ = ["mean_absolute_error", "root_mean_squared_error"]
