"""Measure what the recommended imputer makes of values that were lost in six ways, and in none.

By hand, ``python benchmarks/mechanisms.py COHORT ...`` or ``python benchmarks/mechanisms.py null``:

- For a cohort, at full width: the rows to test on lose values completely at random, below a
  threshold, gradually below it (softness .3 and .6), below it and at random, or below a threshold
  of each gene. The errors are those without correction, with the shift that is best in hindsight,
  with the detection curve that is found, and with the true one; beside them, the share of values
  in their 95 % interval, in all, and in the tenths of the features by their mean where it is the
  least and the most; and what each part of the imputer changes on held-out values.
  ``results/benchmarks/mechanisms.csv``; a cohort is measured anew, the others stay.
- ``null``: 200 simulated matrices lose values completely at random, and no curve should be
  believed. ``results/benchmarks/mechanisms_null.csv``; it goes on where it was.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from vaeimpute.cohorts import load_cohort
from vaeimpute.files import collect_provenance, write_table
from vaeimpute.imputers import AdaptiveImputer
from vaeimpute.imputers.detection import DetectionCurve
from vaeimpute.seeding import generator
from vaeimpute.splits import split_rows

RESULTS = Path(__file__).resolve().parents[1] / "results" / "benchmarks"
MECHANISMS = ("at random", "threshold", "soft", "softer", "threshold and at random", "per gene")
SHIFTS = np.linspace(-0.5, 2.5, 31)
KINDS = ("normal", "heavy-tailed", "zero-inflated", "bimodal")
N_NULL = 200


def true_curve(mechanism: str, threshold: float) -> DetectionCurve:
    """Return the curve by which values are lost; per gene, that of values less its threshold."""
    softness = {"soft": 0.3, "softer": 0.6}.get(mechanism, 1e-4)
    if mechanism == "at random":
        return DetectionCurve(0.1, 0.0, 0.0, 1.0)
    if mechanism == "threshold and at random":
        return DetectionCurve(0.05, 0.475, threshold, softness)
    return DetectionCurve(1e-6, 0.5, threshold, softness)


def measure(cohort: str) -> Iterator[dict]:
    """Yield one row for every mechanism."""
    found = load_cohort(cohort)
    split = split_rows(len(found.values), strata=found.strata, seed=0)
    X = found.values.to_numpy(dtype=np.float64)
    X = X[:, (X[split.train].std(axis=0) > 0) & ~np.isnan(X).any(axis=0)]
    level = pd.qcut(X.mean(axis=0), 10, labels=False, duplicates="drop")
    X = (X - X[split.train].mean(axis=0)) / X[split.train].std(axis=0)
    imputer, true = AdaptiveImputer(random_state=0).fit(X[split.train]), X[split.test]
    for mechanism in MECHANISMS:
        of_gene = np.quantile(X, 0.1, axis=0) if mechanism == "per gene" else np.zeros(X.shape[1])
        curve = true_curve(mechanism, 0.0 if mechanism == "per gene" else np.quantile(X, 0.1))
        rng = generator(1, mechanism)
        lost = rng.random(true.shape) < curve(true - of_gene)
        rows = np.where(lost, np.nan, true)
        found = score(imputer, rows, true, lost, curve, of_gene, level)
        held_out = {f"held out, {name}": value for name, value in imputer.errors_.items()}
        yield {"cohort": cohort, "mechanism": mechanism} | found | held_out


def score(
    imputer: AdaptiveImputer, rows: np.ndarray, true: np.ndarray, lost: np.ndarray,
    curve: DetectionCurve, of_gene: np.ndarray, level: np.ndarray,
) -> dict:  # fmt: skip
    """Return errors, coverage, and what was found out."""

    def error(filled: np.ndarray) -> float:
        return float(np.abs(filled - true)[lost].mean())

    scaled = imputer._scale(rows)
    detected, predicted = imputer.detect(rows), imputer._predict(scaled, None)
    model = imputer._models[-1]

    def units(at: np.ndarray) -> np.ndarray:
        return imputer._scaler.inverse_transform(model.backward(at))

    errors = {"plain": error(imputer.set_params(mechanism="mcar").transform(rows))}
    errors["shift"] = min(error(units(predicted.mean - x * predicted.std)) for x in SHIFTS)
    imputer.set_params(mechanism="auto")
    errors["curve"] = error(imputer.transform(rows))
    mean, std = predicted.in_units("input")
    if curve.lost:
        # With errors that are normal, or as they were found to be.
        both = (curve, replace(curve, errors=detected.errors))
        values = [one.quantile(mean - of_gene, std, 0.5) + of_gene for one in both]
        errors["oracle"] = min(map(error, values))
    else:
        errors["oracle"] = errors["plain"]
    low, high = imputer.predict_interval(rows)
    inside = ((low <= true) & (true <= high))[lost]
    by_level = pd.Series(inside).groupby(np.broadcast_to(level, lost.shape)[lost]).mean()
    return errors | {
        "believed": detected.believed, "gain": detected.gain, "null_gain": detected.null_gain,
        "at_random": detected.at_random, "lost": detected.lost, "threshold": detected.threshold,
        "softness": detected.softness, "units": detected.units, "n_missing": int(lost.sum()),
        "coverage": inside.mean(), "coverage_least": by_level.min(),
        "coverage_most": by_level.max(),
    }  # fmt: skip


def simulate(number: int) -> np.ndarray:
    """Draw 200 samples of 100 features about six factors."""
    rng, kind = generator(number, "null"), KINDS[number % len(KINDS)]
    X = rng.normal(size=(200, 6)) @ rng.normal(size=(6, 100))
    X = X / X.std(axis=0) + rng.normal(scale=rng.uniform(0.3, 1), size=X.shape)
    X /= X.std(axis=0)
    if kind == "heavy-tailed":
        return np.sinh(1.2 * X)
    if kind == "zero-inflated":
        return np.maximum(X - 0.5 * rng.normal(size=100), 0)
    return X + 3 * np.sign(X) * (rng.random(100) < 0.7) if kind == "bimodal" else X


def measure_null(number: int) -> dict:
    """Let values of a matrix go missing at random; say whether a curve is believed."""
    X = simulate(number)
    X = np.where(generator(number, "lost").random(X.shape) < 0.1, np.nan, X)
    imputer = AdaptiveImputer(random_state=0).fit(X)
    filled, curve = imputer.transform(X), imputer.curve_
    plain = imputer.set_params(mechanism="mcar").transform(X)
    return {
        "number": number, "kind": KINDS[number % len(KINDS)], "believed": curve.believed,
        "gain": curve.gain, "null_gain": curve.null_gain, "same": np.array_equal(filled, plain),
    }  # fmt: skip


def stored(path: Path) -> list[dict]:
    """Return the rows of a table, none if there is no such table."""
    return pd.read_csv(path).to_dict("records") if path.exists() else []


def main(names: list[str]) -> None:
    """Measure cohorts, or the null."""
    for name in names:
        path = RESULTS / ("mechanisms_null.csv" if name == "null" else "mechanisms.csv")
        rows = [row for row in stored(path) if row.get("cohort") != name]
        new = map(measure_null, range(len(rows), N_NULL)) if name == "null" else measure(name)
        for row in new:
            rows.append(row)
            print(row, flush=True)
            write_table(pd.DataFrame(rows), path, collect_provenance({"seed": 0}))


if __name__ == "__main__":
    main(sys.argv[1:] or ["glioma-gliovis"])
