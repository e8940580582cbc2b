"""``vaeimpute impute``: fill the missing values of a matrix."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vaeimpute.cli import matrices
from vaeimpute.cli import options as o
from vaeimpute.cli.running import WHOLE_OR_NOT, running, shows_progress
from vaeimpute.methods import METHODS
from vaeimpute.profiles import read_profile

logger = logging.getLogger("vaeimpute.cli")

EXAMPLES = """\b
Examples:
  vaeimpute impute expression.csv -o filled.csv
  vaeimpute impute counts.tsv.gz -o filled.tsv.gz --features-in-rows --log
  vaeimpute impute beta.parquet -o filled.parquet --method knn
  vaeimpute impute genotypes.csv -o filled.csv --min 0 --max 2 --round
  vaeimpute impute protein.csv -o filled.csv --mnar low --std std.csv
  vaeimpute impute protein.csv -o filled.csv --mechanism curve --groups batch --mask-out imputed.csv
  vaeimpute impute train.csv -o filled.csv --model model.safetensors --report report.html
"""


def impute(
    matrix: o.Input,
    output: o.Output,
    method: Annotated[
        o.MethodChoice | None,
        typer.Option(
            help="By default recommended or, where that would take minutes or more memory than "
            "there is, auto, which hides values of the matrix, lets every method but random "
            "restore them, and takes the best, or the simplest of those that equal it within the "
            "noise. One that would take minutes where others do not has to be named.",
        ),
    ] = None,
    missing_like: o.MissingLike = "auto",
    log: o.Log = False,
    zscore: o.ZScore = True,
    low: o.Min = None,
    high: o.Max = None,
    whole: o.Round = False,
    mnar: o.MNAR = None,
    mechanism: o.Mechanism = "auto",
    groups: o.Groups = None,
    within_groups: o.WithinGroups = False,
    features_in_rows: o.FeaturesInRows = False,
    layer: o.Layer = None,
    na: o.NA = None,
    annotation: o.Annotation = None,
    missing_value: o.MissingValue = None,
    duplicates: o.Duplicates = "error",
    strict: o.Strict = False,
    keep_empty: o.KeepEmpty = False,
    std: o.Std = None,
    mask_out: o.MaskOut = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html",
            help="Write a page on what is missing, how well it is restored, and what to be careful "
            "of. Needs the extra vaeimpute[report].",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save the model here, for vaeimpute apply."),
    ] = None,
    seed: o.Seed = 0,
    device: o.Device = "auto",
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
) -> None:
    """Fill the missing values of a matrix.

    What is observed comes back as it was: in text files to the character, in others to the bit.
    """
    o.check(matrix, features_in_rows, layer, device, output, std, mask_out, report, model)
    if low is not None and high is not None and not low < high:
        raise typer.BadParameter(f"Expected --min below --max but got {low:g} and {high:g}.")
    if within_groups and (groups is None or model is not None):
        raise typer.BadParameter(
            "--within-groups needs --groups, and fits no single model that --model could save."
        )
    by_default = method is None
    if by_default:  # what --mnar corrects is the VAE
        method = o.MethodChoice("auto" if mnar is not None else "recommended")
    elif mechanism != "auto" and method == "auto":
        method = o.MethodChoice("recommended")
    if mechanism == "curve" and method != "recommended":
        raise typer.BadParameter(f"--mechanism curve: {method} knows no curve; recommended does.")
    keys = _candidates(str(method), mnar is not None, std is not None)
    with running(WHOLE_OR_NOT, quiet=quiet, verbose=verbose, debug=debug):
        from vaeimpute.comparison.holdout import choose, too_much
        from vaeimpute.tables.transforms import guess_bounds, suggest_scale

        matrices.check_outputs(matrix, [output, std, mask_out], [report, model], force=force)
        if report is not None:  # before the work, because its packages may be missing
            from vaeimpute.comparison.report import render_report
        source = matrices.read(
            matrix, features_in_rows, layer, na, annotation, missing_value, duplicates, strict
        )
        values = matrices.learnable(source, keep_empty)
        group_of = matrices.groups_of(source, groups)
        complete = values.notna().all(axis=None)
        if by_default and method == "recommended" and mechanism == "auto":
            imputer = METHODS["recommended"].build(read_profile("quick"))
            if much := too_much(imputer, values.shape):
                logger.info("The recommended method would take %s: compared the others.", much)
                method = o.MethodChoice("auto")
                keys = _candidates(str(method), False, std is not None)
        if std is not None and method == "auto":
            logger.info("Of the methods, these have standard deviations: %s.", ", ".join(keys))
        free = by_default or method == "auto"
        if model is None and complete and free:
            keys = ["mean"]  # any will do
        other = suggest_scale(values) if free and not (log or complete) else None
        scale = matrices.scaled(values, log=log, zscore=zscore, tries_log=other is not None)
        bounds = guess_bounds(values, low, high)
        # A report shows what the mean would have done.
        compared = [*keys, "mean"] if report is not None else keys
        build = partial(
            matrices.build, n_features=values.shape[1], seed=seed, zscore=zscore, device=device,
            bounds=bounds, mechanism=mechanism,
        )  # fmt: skip
        imputers = build(compared, scale=scale)
        among, scales = [METHODS[key].label for key in keys], dict.fromkeys(imputers, scale)
        if other is not None:
            added = {
                f"{label} on {other.words}": one for label, one in build(keys, scale=other).items()
            }
            imputers, among = imputers | added, [*among, *added]
            scales |= dict.fromkeys(added, other)
        # What is asked to be worked on as logarithms is compared as such.
        chosen, comparison = choose(
            scale.forward(values), imputers, among=among,
            scales={name: one for name, one in scales.items() if one is not scale},
            compare=report is not None, with_std=report is not None,
            scenario=o.to_hide(missing_like, mnar), seed=seed, progress=shows_progress(),
        )  # fmt: skip
        scale = scales[chosen]
        imputer = imputers[chosen].fit(scale.forward(values))
        parts = []
        if within_groups:
            parts = matrices.fit_groups(imputer, scale.forward(values), group_of)
            logger.info("%d groups were imputed each from its own samples.", len(parts))
        matrices.fill(
            source, values, imputer, output, std, scale=scale, bounds=bounds, whole=whole,
            strict=strict, parts=parts,
        )  # fmt: skip
        logger.info("%s: %s.", output, o.NOTHING_MISSING if complete else f"filled with {chosen}")
        losses = matrices.describe_losses(imputer, values, group_of, scale)
        chose = [imputer.report_] if hasattr(imputer, "report_") else []
        for sentence in chose + losses:
            logger.info(sentence)
        if mask_out is not None:
            from vaeimpute.tables import write_table

            # What stays empty is not imputed.
            imputed = source.values.isna() & source.values.columns.isin(values.columns)
            write_table(source, imputed.to_numpy(), mask_out)
            logger.info("%s: which values are imputed.", mask_out)
        if model is not None:
            from vaeimpute.imputers import save_imputer

            save_imputer(imputer, model, transform=str(scale))
            logger.info(
                "%s: the model. It may hold the values that it was fitted to: do not pass on what "
                "you must not share.",
                model,
            )
        if report is not None:
            from vaeimpute.files import write_atomically

            settings = [
                f"worked on {scale.words}",
                "in standard deviations of the features" if zscore else "in the file's units",
                f"seed {seed}",
                *([f"every {groups} from its own samples"] if within_groups else []),
                *chose,
            ]
            page = render_report(
                source.path.name, source.values, chosen, comparison, settings=settings,
                mnar_low=mnar is not None, losses=losses, curve=getattr(imputer, "curve_", None),
            )  # fmt: skip
            write_atomically(report, page)
            logger.info("%s: the report.", report)


def _candidates(method: str, low: bool, with_std: bool) -> list[str]:
    """Return the keys of the methods to choose from, or refuse a combination of options."""
    if low and method not in ("auto", "vae"):
        raise typer.BadParameter(
            f"--mnar low corrects the VAE; --method {method} has no such correction."
        )
    able = [key for key in o.OWN_METHODS if METHODS[key].has_std]
    if with_std and method not in ("auto", *able):
        raise typer.BadParameter(
            f"--std: {method} has no standard deviations; these methods have: {', '.join(able)}."
        )
    keys = [key for key in o.OWN_METHODS if METHODS[key].chosen and (key in able or not with_std)]
    return o.corrected(keys if method == "auto" else [method], low)
