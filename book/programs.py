"""Tables of the errors of the authors' program beside those of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

TEXT = {
    "order": "text", "drop_last": False, "init": "random", "sample_posterior": False,
    "scale": "per feature",
}  # fmt: skip
CODE = {
    "order": "code", "drop_last": True, "init": "mean", "sample_posterior": True, "scale": "paper",
}  # fmt: skip
# What each setting of the code is in words.
WORDS = {
    "order": "the code's order of the layers",
    "drop_last": "full batches only, a third fewer steps",
    "init": "missing entries start from the mean",
    "sample_posterior": "a draw of z is decoded, not its mean",
    "scale": "the second head is the logarithm of the standard deviation",
}


def write_parts(results: Path, folder: Path) -> None:
    """Write the parts that the page on differences includes: ``_programs.md``, ``_changes.md``."""
    table = pd.read_csv(results / "glioma-gliovis" / "authors_program.csv")
    for name, text in (("programs", side_by_side(table)), ("changes", changes(table))):
        (folder / f"_{name}.md").write_text(text, encoding="utf-8")


def side_by_side(table: pd.DataFrame) -> str:
    """Return Markdown: what both programs trained with the settings of the code.

    Parameters
    ----------
    table : DataFrame
        As ``benchmarks/authors_program.py`` writes it.
    """
    lines = [
        "| genes | | learning rate | steps | theirs | ours |",
        "|---|---|---|---|---|---|",
    ]
    networks = _with(table, {name: CODE[name] for name in CODE if name != "order"})
    keys = ["narrow", "n_genes", "learning_rate", "n_steps", "order", "layers"]
    for (_, n_genes, rate, steps, _, layers), rows in networks.groupby(keys):
        what = f"{n_genes} | VAE, d-{layers} | {rate:g} | {steps:.0f}"
        lines.append(f"| {what} | {_both(rows)} |")
    for (n_genes, method), rows in table[table["method"] != "VAE"].groupby(["n_genes", "method"]):
        lines.append(f"| {n_genes} | {method} | | | {_both(rows)} |")
    return "\n".join(lines) + "\n"


def changes(table: pd.DataFrame) -> str:
    """Return Markdown: what each setting of the code changes in our VAE trained as the text says.

    Parameters
    ----------
    table : DataFrame
        As ``benchmarks/authors_program.py`` writes it.
    """
    lines = [
        "| genes | by the text | setting of the code | error | change |",
        "|---|---|---|---|---|",
    ]
    ours = _with(table, {"program": "vaeimpute", "method": "VAE", "learning_rate": 5e-5})
    for (_, n_genes), group in ours.groupby(["narrow", "n_genes"]):
        group = group[group["n_epochs"] == group["n_epochs"].min()]
        text = _with(group, TEXT)
        if text.empty:
            continue
        what = f"{n_genes} | d-{text['layers'].iloc[0]}"
        lines.append(f"| {what} | none | {_errors(text['mae'])} | |")
        variants = {words: TEXT | {name: CODE[name]} for name, words in WORDS.items()}
        for words, settings in (variants | {"all five": CODE}).items():
            # The same seeds on both sides.
            rows = _with(group, settings).merge(text[["seed", "mae"]], on="seed")
            change = rows["mae_x"].mean() / rows["mae_y"].mean() - 1
            shown = "" if rows.empty else f"{change:+.1%}".replace("%", " %")
            lines.append(f"| {what} | {words} | {_errors(rows['mae_x'])} | {shown} |")
    return "\n".join(lines) + "\n"


def _with(table: pd.DataFrame, settings: dict[str, Any]) -> pd.DataFrame:
    return table[(table[list(settings)] == list(settings.values())).all(axis=1)]


def _both(rows: pd.DataFrame) -> str:
    by_program = (rows.loc[rows["program"] == name, "mae"] for name in ("authors", "vaeimpute"))
    return " | ".join(map(_errors, by_program))


def _errors(mae: pd.Series) -> str:
    """Write the mean over the seeds and their range."""
    known = mae.dropna()
    if mae.empty:
        return "not run"
    if known.empty:
        return "not finite"
    spread = f" ({known.min():.3f} to {known.max():.3f}, {len(known)} seeds)"
    lost = f", {len(mae) - len(known)} not finite" if len(known) < len(mae) else ""
    return f"{known.mean():.3f}{spread if len(known) > 1 else ''}{lost}"
