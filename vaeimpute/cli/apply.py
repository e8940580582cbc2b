"""``vaeimpute apply``: fill the holes of new samples with a saved model."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from vaeimpute.cli import options as o
from vaeimpute.cli.options import WHOLE_OR_NOT, errors_in_one_line, log_to_stderr

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
    keep_empty: o.KeepEmpty = False,
    std: o.Std = None,
    device: o.Device = "auto",
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
) -> None:
    """Fill the missing values of new samples, one or many, with a model that was saved.

    Nothing is learnt from the new samples. Features are matched by name.
    """
    o.check_layout(matrix, features_in_rows, layer)
    o.check_device(device)
    o.check_distinct(output, std)
    with log_to_stderr(o.log_level(quiet, verbose)), errors_in_one_line(debug, WHOLE_OR_NOT):
        _apply(model, matrix, output, features_in_rows, layer, keep_empty, std, device, force)


def _apply(
    model: Path,
    matrix: Path,
    output: Path,
    features_in_rows: bool,
    layer: str | None,
    keep_empty: bool,
    std: Path | None,
    device: str,
    force: bool,
) -> None:
    import pandas as pd

    from vaeimpute.cli.impute import predict
    from vaeimpute.cli.matrices import known_or_empty, placed, read
    from vaeimpute.comparison import closed_form_device
    from vaeimpute.imputers import load_imputer, read_card
    from vaeimpute.tables import check_output, match_features, to_log, write_filled, write_table

    check_output(output, force=force)
    if std is not None:
        check_output(std, force=force)
    card = read_card(model)
    closed_form = card["class"] not in ("VAEImputer", "AutoencoderImputer")
    imputer = load_imputer(model, device=closed_form_device(device) if closed_form else device)
    if std is not None and not hasattr(imputer, "predict_std"):
        raise typer.BadParameter(f"--std: a {card['class']} has no standard deviations.")
    source = read(matrix, features_in_rows, layer)
    values = source.values
    if card["feature_names"]:
        features = pd.Index(card["feature_names"], dtype=object)
        if keep_empty:
            values = known_or_empty(values, features)
        order = match_features(values.columns, features, f"The {card['class']} of {model}")
        if order is not None:
            values = values.iloc[:, order]
            logger.warning("The model has the features in another order; matched by name.")
    log = card["transform"] == "log1p"
    if log:
        logger.info("The model works on ln(x + 1), and so the new values are taken.")
    filled, spread = predict(imputer, to_log(values) if log else values, std is not None, log)
    write_filled(source, placed(filled, values, source.values), output)
    logger.info("%s: filled with a %s of %s.", output, card["class"], model)
    if std is not None:
        assert spread is not None
        write_table(source, placed(spread, values, source.values), std)
        logger.info("%s: predictive standard deviations.", std)
