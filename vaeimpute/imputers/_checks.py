"""Checks of hyper-parameters."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

from sklearn.utils import check_scalar


def check_number(value: Any, name: str, kind: type, **limits: Any) -> None:
    """Refuse what is no finite number of a kind, or beyond limits.

    Parameters
    ----------
    value
    name : str
        Of the parameter, for the message.
    kind : type
        `numbers.Integral` or `numbers.Real`.
    **limits
        ``min_val``, ``max_val`` and ``include_boundaries``, as of `sklearn.utils.check_scalar`.

    Raises
    ------
    TypeError
        If it is of another kind. Python counts True and False among the integers, but nobody
        means them.
    ValueError
        If it is beyond the limits, infinite or NaN, which is not below any limit.

    Examples
    --------
    >>> from numbers import Real
    >>> check_number(float("nan"), "tol", Real, min_val=0)
    Traceback (most recent call last):
    ...
    ValueError: tol == nan, must be finite.
    """
    if isinstance(value, bool):
        raise TypeError(f"{name} must be a number, not {value}.")
    check_scalar(value, name, kind, **limits)
    if not isinstance(value, Integral) and not math.isfinite(value):
        raise ValueError(f"{name} == {value}, must be finite.")
