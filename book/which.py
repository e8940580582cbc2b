"""The tables of the page on whether to use a VAE, from ``results/`` and chapter 12."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from string import Template

import matplotlib.pyplot as plt
import nbformat
import pandas as pd
from matplotlib.figure import Figure

from vaeimpute.claims import CLAIMS, Run, load_all_runs
from vaeimpute.experiments.learning_curve import by_rows
from vaeimpute.plots import plot_dots, use_style
from verdicts import Board, describe, make_board

# Whether it needs the rows that it was fitted to, and so cannot be handed on without them.
KEEPS_ROWS = {"mean": False, "SVD, alone": False, "VAE": False, "KNN": True, "Gaussian": True}
SERIOUS = ("KNN", "SVD", "SVD, tuned", "Gaussian", "VAE")


def error_tables(runs: list[Run]) -> list[tuple[Run, pd.DataFrame]]:
    """Return the tables of errors that have a Gaussian and a VAE, with their runs."""
    found = []
    for run in runs:
        for name in ("expression_errors", "methylation_errors"):
            table = run.tables.get(name)
            if table is not None and {"Gaussian", "VAE"} <= set(table["method"]):
                found.append((run, table))
    return found


def mean_errors(tables: list[tuple[Run, pd.DataFrame]]) -> pd.DataFrame:
    """Return the mean errors of the serious methods, a row per run and way of losing values."""
    means = [table.groupby(["scenario", "method"])["mae"].mean().unstack() for _, table in tables]
    return pd.concat(means).reindex(columns=SERIOUS)


def in_how_many(errors: pd.DataFrame) -> pd.Series:
    """Count in how many comparisons each method is best, or within 2 % of the best."""
    return errors.le(1.02 * errors.min(axis=1), axis=0).sum()


def counts(errors: pd.DataFrame) -> str:
    """Say what `in_how_many` found."""
    said = "; ".join(f"{method} {count}" for method, count in in_how_many(errors).items())
    return (
        f"There are {len(errors)} comparisons: in each, one run loses values in one way, and no "
        "method is informed; runs of one cohort share samples. The number in which a method's "
        f"error is the smallest of these five or within 2 % of it: {said}.\n"
    )


def in_a_word(errors: pd.DataFrame) -> str:
    """Answer in Markdown whether to use a VAE."""
    share = in_how_many(errors)["VAE"] / len(errors)
    word = "Rarely" if share < 0.25 else "Sometimes" if share < 0.75 else "Mostly"
    return f"**{word}, if errors are to be small.**"


def answer(board: Board, errors: pd.DataFrame) -> str:
    """Return the answer of the landing page in two sentences of Markdown."""
    row, near = board.answers["C3"], in_how_many(errors)
    return (
        f"{in_a_word(errors)} Of five methods, a conditional Gaussian has the smallest "
        f"error or one within 2 % of it in **{near['Gaussian']} of {len(errors)}** comparisons, "
        f"the VAE in **{near['VAE']}**.\n"
        f"The paper did not compare with it. Its own main claim, that {CLAIMS['C3'].words}: "
        f"{row.badge}, by the "
        "{doc}`runs closest to the paper </book/verdicts>`.\n"
    )


def plot_answer(errors: pd.DataFrame) -> Figure:
    """Draw each method's error in percent of the VAE's, a dot per comparison."""
    percent = errors.drop(columns="VAE").div(errors["VAE"], axis=0).mul(100)
    dots = percent.melt(var_name="method", value_name="percent").dropna()
    use_style()
    figure, ax = plt.subplots(figsize=(5.2, 3.8))
    plot_dots(
        dots,
        "percent",
        x="method",
        reference=100,
        margin=5,
        ylabel="error, in % of the VAE's",
        ax=ax,
    )
    ax.annotate("VAE", (1, 100), xycoords=("axes fraction", "data"), va="center", ha="left")
    return figure


def by_samples(tables: list[tuple[Run, pd.DataFrame]]) -> str:
    """Return a table in Markdown of errors at 10 % missing at random, by run."""
    columns, rows = ["mean", *SERIOUS, "recommended"], []
    for run, table in tables:
        means = table[table["scenario"] == "mcar_10"].groupby("method")["mae"].mean()
        rows.append(_row(describe(run), means.reindex(columns)))
    return _table("10 % missing at random", columns, rows)


def by_need(benchmarks: Run, coverage: pd.Series) -> str:
    """Return a table in Markdown of what else a method needs and gives."""
    times = benchmarks.tables["imputation_time"]
    times = times[times["program"] == "vaeimpute"].set_index("method")
    columns = ["of true values in its 90 % intervals", "fit (s)", "100 samples (s)",
               "one sample (s)", "file (MB)", "holds training rows"]  # fmt: skip
    rows = []
    for method, keeps in KEEPS_ROWS.items():
        one = times.loc[method]
        cells = [f"{100 * coverage[method]:.0f} %" if method in coverage else "gives none"]
        numbers = (one["fit_seconds"], one["impute_seconds"], one["single_seconds"],
                   one["artefact_bytes"] / 1e6)  # fmt: skip
        cells += [f"{x:.2g}" if x < 100 else f"{x:.0f}" for x in numbers]
        rows.append(f"| {method} | {' | '.join([*cells, 'yes' if keeps else 'no'])} |")
    return _table("method", columns, rows)


def interval_coverage(chapter: Path) -> pd.Series:
    """Read from the executed chapter 12 which share of true values its 90 % intervals have."""
    for cell in nbformat.read(chapter, as_version=4).cells:
        for output in cell.get("outputs", []):
            text = output.get("data", {}).get("text/plain", "")
            if text.startswith("method ") and "\ninterval" in text:
                head, _, *lines = text.splitlines()
                table = pd.read_csv(
                    StringIO("\n".join(lines)), sep=r"\s+", index_col=0, header=None
                )
                return table.set_axis(head.split()[1:], axis=1).loc[0.9]
    raise ValueError(f"{chapter.stem} shows no table of intervals.")


def learning_curves(runs: list[Run]) -> list[pd.DataFrame]:
    """Return errors by number of training rows and method, a table per run, the most rows last."""
    name = "learning_curve"
    found = [
        by_rows(
            run.tables[name], run.provenance[name]["parameters"]["n_training_rows"]
        ).pivot_table(index="rows", columns="method", values="mae")
        for run in runs
        if run.has([name])
    ]
    return sorted(found, key=lambda curve: curve.index[-1])


def _row(label: str, numbers: pd.Series) -> str:
    shown = ["" if pd.isna(x) else f"**{x:.3f}**" if x == numbers.min() else f"{x:.3f}"
             for x in numbers]  # fmt: skip
    return f"| {label} | {' | '.join(shown)} |"


def _table(corner: str, columns: list[str], rows: list[str]) -> str:
    head = f"| {corner} | {' | '.join(columns)} |"
    return "\n".join([head, "|---" * (len(columns) + 1) + "|", *rows, ""])


def numbers_in_the_text(
    tables: list[tuple[Run, pd.DataFrame]],
    benchmarks: Run,
    coverage: pd.Series,
    curves: list[pd.DataFrame],
) -> dict[str, str]:
    """Compute what stands for the names with a dollar sign in ``which.md``."""
    found = {f"{m.lower()}_covers": f"{100 * share:.0f} %" for m, share in coverage.items()}
    few = next(pair for pair in tables if pair[0].cohort == "breast-gse1992")
    for place, (run, table) in {"closest": tables[0], "few": few}.items():
        errors = table[table["scenario"] == "mcar_10"].groupby("method")["mae"].mean()
        found[f"{place}_run"] = describe(run)
        found |= {f"{place}_{m.lower()}": f"{errors[m]:.2f}" for m in ("VAE", "Gaussian", "KNN")}
    most = curves[-1].iloc[-1]
    found["most_rows"] = str(most.name)
    for method in ("Gaussian", "recommended"):
        found[f"most_vae_{method.lower()}"] = f"{100 * (most['VAE'] / most[method] - 1):+.0f} %"
    at_random = (table[table["scenario"] == "mcar_10"] for _, table in tables)
    means = [curve.iloc[-1] for curve in curves]
    means += [errors.groupby("method")["mae"].mean() for errors in at_random]
    gains = [mean["recommended"] / mean["Gaussian"] - 1 for mean in means if "recommended" in mean]
    ends = " to ".join(f"{100 * gain:+.1f}" for gain in (min(gains), max(gains)))
    found["gain"] = ends.replace("-", "\N{MINUS SIGN}")
    times = benchmarks.tables["imputation_time"].query("program == 'vaeimpute'")
    for method, row in times.set_index("method").iterrows():
        name = str(method).lower().replace("svd, alone", "alone")
        found[f"{name}_once"] = f"{row['single_seconds']:.2g}"
        total = row["fit_seconds"] + row["impute_seconds"]
        found[f"{name}_total"] = f"{total:.0f} s" if total < 7200 else f"{total / 3600:.1f} hours"
    return found


def write_parts(results: Path, chapters: tuple[Path, ...], folder: Path) -> None:
    """Write the page, with the numbers in its text, and the tables that it includes."""
    runs = load_all_runs(results)
    tables = error_tables(runs)
    errors = mean_errors(tables)
    (benchmarks,) = (run for run in runs if "imputation_time" in run.tables)
    (own_matrix,) = (path for path in chapters if path.stem.startswith("12"))
    coverage = interval_coverage(own_matrix)
    text = Template(Path(__file__).with_name("which.md").read_text(encoding="utf-8"))
    parts = {
        "which": text.substitute(
            numbers_in_the_text(tables, benchmarks, coverage, learning_curves(runs))
        ),
        "_answer": answer(make_board(results, chapters), errors),
        "_which_count": f"{in_a_word(errors)} {counts(errors)}",
        "_which_samples": by_samples(tables),
        "_which_need": by_need(benchmarks, coverage),
    }
    for name, part in parts.items():
        (folder / f"{name}.md").write_text(part, encoding="utf-8")
