"""``vaeimpute check``: what a file is taken for, before anything is filled."""

from __future__ import annotations

import typer

from vaeimpute.cli import matrices
from vaeimpute.cli import options as o
from vaeimpute.cli.running import WHOLE_OR_NOT, running

EXAMPLES = """\b
Examples:
  vaeimpute check proteinGroups.txt --features-in-rows
  vaeimpute check lfq.tsv --features-in-rows --missing-value 0 --strict
"""


def check(
    matrix: o.Input,
    features_in_rows: o.FeaturesInRows = False,
    layer: o.Layer = None,
    na: o.NA = None,
    annotation: o.Annotation = None,
    missing_value: o.MissingValue = None,
    duplicates: o.Duplicates = "error",
    strict: o.Strict = False,
    debug: o.Debug = False,
) -> None:
    """Say what a file is taken for: format, orientation, annotation, codes, scale, what is missing.

    In the words of vaeimpute impute, and with the same errors; nothing is filled.
    """
    o.check(matrix, features_in_rows, layer, "auto")
    with running(WHOLE_OR_NOT, to_stdout=True, debug=debug):
        from vaeimpute.comparison.holdout import guess_scenario
        from vaeimpute.tables.transforms import suggest_transforms

        source = matrices.read(
            matrix, features_in_rows, layer, na, annotation, missing_value, duplicates, strict
        )
        values = matrices.learnable(source, keep_empty=True)
        for suggestion in suggest_transforms(values, log=False, zscore=True):
            typer.echo(f"Warning: {suggestion}")
        if values.isna().any(axis=None):
            _, reason = guess_scenario(values)
            typer.echo(f"{reason[0].upper()}{reason[1:]}.")
