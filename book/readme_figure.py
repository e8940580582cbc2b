"""Take the README's figure out of the chapter that drew it, so that it is always from a run."""

from __future__ import annotations

import base64
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = ROOT / "notebooks" / "04_expression_rmse.ipynb"
FIGURE = ROOT / "book" / "static" / "expression_errors.png"


def first_image(chapter: Path) -> bytes:
    """Return the first picture among a chapter's outputs, as PNG.

    Raises
    ------
    ValueError
        If the chapter has none, because it was never executed.
    """
    for cell in nbformat.read(chapter, as_version=4).cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                return base64.b64decode(output["data"]["image/png"])
    raise ValueError(f"{chapter.name} has no figure among its outputs: run `make notebooks`.")


if __name__ == "__main__":
    FIGURE.parent.mkdir(exist_ok=True)
    FIGURE.write_bytes(first_image(CHAPTER))
