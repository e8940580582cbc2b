"""``vaeimpute apply``: fill the missing values of new samples with a saved model."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from vaeimpute.cli import matrices
from vaeimpute.cli import options as o
from vaeimpute.cli.running import WHOLE_OR_NOT, running
from vaeimpute.exceptions import check_guesses
from vaeimpute.methods import closed_form_device

logger = logging.getLogger("vaeimpute.cli")

EXAMPLES = """\b
Examples:
  vaeimpute apply model.safetensors new.csv -o filled.csv
  vaeimpute apply model.safetensors one-patient.tsv -o filled.tsv --features-in-rows
"""


def apply(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="What vaeimpute impute --model has saved.")
    ],
    matrix: o.Input,
    output: o.Output,
    features_in_rows: o.FeaturesInRows = False,
    layer: o.Layer = None,
    na: o.NA = None,
    annotation: o.Annotation = None,
    missing_value: o.MissingValue = None,
    duplicates: o.Duplicates = "error",
    strict: o.Strict = False,
    keep_empty: o.KeepEmpty = False,
    std: o.Std = None,
    whole: o.Round = False,
    device: o.Device = "auto",
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
) -> None:
    """Fill the missing values of new samples, one or many, with a model that was saved.

    Nothing is learnt from the new samples. Features are matched by name: those that the model does
    not know stay as they are, and those that the file lacks are taken for missing, up to half.
    """
    o.check(matrix, features_in_rows, layer, device, output, std)
    with running(WHOLE_OR_NOT, quiet=quiet, verbose=verbose, debug=debug):
        import numpy as np
        import pandas as pd

        from vaeimpute.imputers import load_imputer, read_card
        from vaeimpute.tables.checks import empty_features
        from vaeimpute.tables.features import align_features
        from vaeimpute.tables.transforms import Bounds, Scale

        matrices.check_outputs(matrix, [output, std], force=force)
        card = read_card(model)
        is_network = "n_epochs" in card["parameters"]
        imputer = load_imputer(model, device=device if is_network else closed_form_device(device))
        if std is not None and not hasattr(imputer, "predict_std"):
            raise typer.BadParameter(f"--std: a {card['class']} has no standard deviations.")
        source = matrices.read(
            matrix, features_in_rows, layer, na, annotation, missing_value, duplicates, strict
        )
        values, features = source.values, pd.Index(card["feature_names"], dtype=object)
        if keep_empty:
            unknown = empty_features(values).difference(features, sort=False)
            values = matrices.left_empty(values, unknown)
        if len(features):
            values, notes = align_features(values, features, f"The {card['class']} of {model}")
            if strict:
                check_guesses(source.path, notes)
            for note in notes:
                logger.warning(note)
        scale = Scale.parse(card["transform"])
        if scale.kind:
            logger.info("The model works on %s, and so the new values are taken.", scale.words)
        low, high = scale.back(np.array([imputer.min_value, imputer.max_value]))
        bounds = Bounds(low, high, guessed=False)
        matrices.fill(source, values, imputer, output, std, scale=scale, bounds=bounds, whole=whole)
        filled = f"filled with a {card['class']} of {model}"
        any_missing = source.values.isna().any(axis=None)
        logger.info("%s: %s.", output, filled if any_missing else o.NOTHING_MISSING)
