"""``vaeimpute compare``: which method restores hidden values of a matrix best."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vaeimpute.cli import matrices
from vaeimpute.cli import options as o
from vaeimpute.cli.running import WHOLE_OR_NOT, running, shows_progress

EXAMPLES = """\b
Examples:
  vaeimpute compare expression.csv
  vaeimpute compare expression.csv --figure errors.png --table errors.csv
  vaeimpute compare protein.tsv --features-in-rows --missing-like low --mnar low
  vaeimpute compare beta.parquet --method knn --method gaussian --trials 10
"""


def compare(
    matrix: o.Input,
    method: Annotated[
        list[o.MethodName] | None,
        typer.Option(help="A method to compare; may be repeated. All of them by default."),
    ] = None,
    missing_like: o.MissingLike = "auto",
    trials: Annotated[int, typer.Option(min=1, help="Times that values are hidden anew.")] = 3,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="Compare on the whole matrix even if that takes hours."),
    ] = False,
    log: o.Log = False,
    zscore: o.ZScore = True,
    low: o.Min = None,
    high: o.Max = None,
    mnar: o.MNAR = None,
    features_in_rows: o.FeaturesInRows = False,
    layer: o.Layer = None,
    na: o.NA = None,
    annotation: o.Annotation = None,
    missing_value: o.MissingValue = None,
    duplicates: o.Duplicates = "error",
    strict: o.Strict = False,
    keep_empty: o.KeepEmpty = False,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a figure here: .png, .svg or .pdf. Needs the extra vaeimpute[report].",
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Write the errors of every trial here."),
    ] = None,
    seed: o.Seed = 0,
    device: o.Device = "auto",
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
) -> None:
    """Hide values of a matrix, let every method restore them, and print how well they do.

    Errors are in standard deviations of the features: filling in the mean errs by about 0.8.
    Seconds are those of imputing, without those of fitting.
    """
    o.check(matrix, features_in_rows, layer, device, figure, table)
    if mnar is not None and "vae" not in (method or o.OWN_METHODS):
        raise typer.BadParameter(f"--mnar {mnar} corrects the VAE, which is not to be compared.")
    with running(WHOLE_OR_NOT, quiet=quiet, verbose=verbose, debug=debug):
        from vaeimpute.comparison import compare_on
        from vaeimpute.files import replacing, write_atomically
        from vaeimpute.tables.transforms import guess_bounds
        from vaeimpute.tables.write import check_output

        if figure is not None:
            check_output(figure, force=force, extensions=(".png", ".svg", ".pdf"))
            from vaeimpute.comparison.report import draw_errors
        if table is not None:
            check_output(table, force=force, extensions=(".csv",))
        source = matrices.read(
            matrix, features_in_rows, layer, na, annotation, missing_value, duplicates, strict
        )
        values = matrices.learnable(source, keep_empty)
        scale = matrices.scaled(values, log=log, zscore=zscore)
        imputers = matrices.build(
            o.corrected(method or o.OWN_METHODS, mnar is not None),
            values.shape[1], seed=seed, zscore=zscore, device=device, scale=scale,
            bounds=guess_bounds(values, low, high),
        )  # fmt: skip
        found = compare_on(
            scale.forward(values), imputers, o.to_hide(missing_like, mnar), n_trials=trials,
            seed=seed, whole=whole, progress=shows_progress(),
        )  # fmt: skip
        digits = {"mae": "{:.4f}", "rmse": "{:.4f}", "seconds": "{:.1f}", "fit_seconds": "{:.1f}"}
        summary = found.summary.reset_index()
        formatters = {column: form.format for column, form in digits.items()}
        typer.echo(summary.to_string(index=False, formatters=formatters))
        simplest = found.preferred()
        advice = f" Of equals, take the simplest: {simplest}." if simplest != found.best else ""
        typer.echo(found.describe() + advice)
        if table is not None:
            write_atomically(table, found.table.to_csv(index=False))
        if figure is not None:
            import matplotlib.pyplot as plt

            draw_errors(found)
            with replacing(figure) as unfinished:
                plt.savefig(unfinished)
