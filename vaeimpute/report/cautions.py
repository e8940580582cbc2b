"""What the reader of a report should be careful of, as far as the numbers tell."""

from __future__ import annotations

import numpy as np
import pandas as pd

from vaeimpute.evaluation import interval_coverage
from vaeimpute.selection import Comparison

_OFTEN = 0.5  # missing in so large a share of the samples, a feature rests on few of them
_FEW_FEATURES = 3


def list_cautions(
    values: pd.DataFrame, method: str, comparison: Comparison | None, *, mnar_low: bool
) -> list[str]:
    """Say what stands out in a matrix and in how well its hidden values are restored.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
        With holes.
    method : str
        The label of the method that filled them.
    comparison : Comparison or None
    mnar_low : bool
        Whether a correction for low values missing was asked for.

    Returns
    -------
    list of str

    Examples
    --------
    >>> values = pd.DataFrame({"TP53": [1.0, None, None, 2.0], "EGFR": [1.0, None, None, None]})
    >>> for caution in list_cautions(values, "mean", None, mnar_low=False)[:2]:
    ...     print(caution)
    1 of 2 features are missing in more than half of the samples; what they get rests on few.
    2 of 4 samples have no value at all; what they get says nothing about them.
    """
    missing = values.isna().to_numpy()
    cautions = []
    often = int((missing.mean(axis=0) > _OFTEN).sum())
    if often:
        cautions.append(
            f"{often} of {missing.shape[1]} features are missing in more than half of the samples; "
            "what they get rests on few."
        )
    empty = int(missing.all(axis=1).sum())
    if empty:
        cautions.append(
            f"{empty} of {len(missing)} samples have no value at all; what they get says nothing "
            "about them."
        )
    if comparison is None:
        cautions.append(
            "The matrix has too few values to hide some of them, so how well they are restored is "
            "not known."
        )
    else:
        cautions += _about_errors(comparison, method)
    if not mnar_low:
        cautions.append(
            "If low values are the ones that are missing, as below a detection limit, the "
            "imputed values are too high, and hiding values at random does not show it. Then use "
            "--mnar low."
        )
    return cautions


def _about_errors(comparison: Comparison, method: str) -> list[str]:
    cautions = []
    ranking = comparison.ranking
    if method in ranking and "mean" in ranking and method != "mean":
        difference, spread = comparison.margin(method, "mean")
        if not difference > 2 * spread:
            cautions.append(
                f"On hidden values, {method} is not clearly better than the mean of the feature: "
                "the matrix holds little from which to restore its values."
            )
        else:
            ours, theirs = (comparison.errors_per_feature(m)["mae"] for m in (method, "mean"))
            enough = comparison.errors_per_feature(method)["n_hidden"] >= _FEW_FEATURES
            ours = ours[enough.reindex(ours.index)]
            worse = float((ours >= theirs.reindex(ours.index)).mean()) if len(ours) else 0.0
            if worse > 0:
                cautions.append(
                    f"{100 * worse:.0f} % of the features (of those with {_FEW_FEATURES} or more "
                    f"hidden values) are restored no better by {method} than by their mean."
                )
    if method == comparison.best and comparison.within_noise():
        others = "; ".join(comparison.within_noise())
        cautions.append(
            f"{others} did no worse within the noise: the choice between them and {method} does "
            "not matter here."
        )
    residuals = comparison.standardized_residuals(method) if method in ranking else None
    if residuals is not None:
        promised = 0.95
        coverage = float(interval_coverage(residuals, [promised])["coverage"].iloc[0])
        noise = 2 * float(np.sqrt(promised * (1 - promised) / len(residuals)))
        if abs(coverage - promised) > max(0.02, noise):
            often = "more" if coverage < promised else "less"
            cautions.append(
                f"Intervals of {method} that promise {100 * promised:.0f} % hold "
                f"{100 * coverage:.0f} % of the hidden values: large errors are {often} frequent "
                "than its standard deviations say."
            )
    return cautions
