"""``vaeimpute compare``: which method restores hidden values of a matrix best."""

from __future__ import annotations

import logging
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaeimpute.cli import options as o
from vaeimpute.cli.options import WHOLE_OR_NOT, errors_in_one_line, log_to_stderr

if TYPE_CHECKING:
    from vaeimpute.comparison import Comparison

logger = logging.getLogger("vaeimpute.cli")

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
    missing_like: o.MissingLike = o.Resemblance.AUTO,
    trials: Annotated[int, typer.Option(min=1, help="Times that values are hidden anew.")] = 3,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="Compare on the whole matrix even if that takes hours."),
    ] = False,
    log: o.Log = False,
    zscore: o.ZScore = True,
    mnar: o.MNAR = None,
    features_in_rows: o.FeaturesInRows = False,
    layer: o.Layer = None,
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
    """
    o.check_layout(matrix, features_in_rows, layer)
    o.check_device(device)
    o.check_distinct(figure, table)
    methods = list(dict.fromkeys(str(name) for name in method or o.MethodName))
    if mnar is not None and "vae" not in methods:
        raise typer.BadParameter(f"--mnar {mnar} corrects the VAE, which is not to be compared.")
    with (
        log_to_stderr(o.log_level(quiet, verbose)),
        errors_in_one_line(debug, WHOLE_OR_NOT, "report"),
    ):
        from vaeimpute.cli.matrices import compare_methods, learnable, read, work_on
        from vaeimpute.comparison.report import check_report
        from vaeimpute.files import write_atomically
        from vaeimpute.tables import check_output

        if figure is not None:
            check_output(figure, force=force, extensions=(".png", ".svg", ".pdf"))
            check_report()  # before the work, not after it
        if table is not None:
            check_output(table, force=force, extensions=(".csv",))
        source = read(matrix, features_in_rows, layer)
        work = work_on(learnable(source, keep_empty), log=log, zscore=zscore)
        found, _ = compare_methods(
            work, methods, missing_like=missing_like, zscore=zscore, mnar_low=mnar is not None,
            n_trials=trials, seed=seed, device=device, whole=whole,
        )  # fmt: skip
        typer.echo(_as_text(found))
        if table is not None:
            write_atomically(table, found.table.to_csv(index=False))
        if figure is not None:
            _draw(found, figure)


def _as_text(found: Comparison) -> str:
    means = found.table.groupby("method")[["mae", "rmse", "seconds"]].mean()
    means = means.loc[found.ranking.index].reset_index()
    lines = means.to_string(
        index=False, formatters={"mae": "{:.4f}".format, "rmse": "{:.4f}".format,
                                 "seconds": "{:.1f}".format},
    )  # fmt: skip
    return f"{lines}\n{found.describe()}"


def _draw(found: Comparison, path: Path) -> None:
    import matplotlib.pyplot as plt

    from vaeimpute.comparison import SCENARIOS
    from vaeimpute.evaluation import summarize
    from vaeimpute.files import replacing
    from vaeimpute.plots import plot_errors, use_style

    use_style()
    figure, ax = plt.subplots()
    labels = {found.scenario: textwrap.fill(f"hidden: {SCENARIOS[found.scenario].words}", 70)}
    plot_errors(summarize(found.table), scenario_labels=labels, ax=ax)
    with replacing(path) as unfinished:
        figure.savefig(unfinished)
