"""Figures that a reader moves through with a slider: all drawn beforehand, no server needed."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from html import escape

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

# Where scripts are off, the figure to start with stands alone. The handler finds its figure by
# itself, so that pages may hold several, and what is stored is the same in every run.
_PAGE = """\
<figure class="slider">
<noscript><style>.slider label {{ display: none }}</style></noscript>
<label>{name} <input type="range" min="0" max="{last}" value="{start}" oninput="
  this.closest('figure').querySelectorAll('img').forEach((image, number) => {{
    image.hidden = number != this.value;
    if (!image.hidden) this.nextElementSibling.value = image.dataset.value;
  }})"> <output>{chosen}</output></label>
{images}
</figure>
"""


class Slider:
    """Figures of which one is shown, and a slider to choose it.

    The page holds all of them, and needs neither Python nor a network. The figures are closed.

    Parameters
    ----------
    figures : mapping of str to Figure
        By what the slider stands at, in its order.
    name : str
        What it changes.
    alt : mapping of str to str
        Alternative text for each figure.
    start : str, optional
        Which is shown at first, and where scripts are off; else the first.

    Raises
    ------
    ValueError
        If a figure has no alternative text, or `start` is none of them.

    Examples
    --------
    >>> figures = {width: plt.figure(figsize=(float(width), 1)) for width in ("1", "2")}
    >>> alt = {"1": "narrow", "2": "wide"}
    >>> Slider(figures, name="width", alt=alt, start="2")
    Slider over width: 1, 2
    """

    def __init__(
        self,
        figures: Mapping[str, Figure],
        *,
        name: str,
        alt: Mapping[str, str],
        start: str | None = None,
    ) -> None:
        if missing := [value for value in figures if not alt.get(value)]:
            raise ValueError(f"No alternative text for {name} {', '.join(missing)}.")
        self._values = list(figures)
        self._start = 0 if start is None else self._values.index(start)
        self._name, self._alt = name, alt
        self._images = [_png(figure) for figure in figures.values()]

    def __repr__(self) -> str:
        return f"Slider over {self._name}: {', '.join(self._values)}"

    def _repr_html_(self) -> str:
        images = [
            f'<img data-value="{escape(value)}" alt="{escape(self._alt[value])}" '
            f'src="data:image/png;base64,{image}"{"" if number == self._start else " hidden"}>'
            for number, (value, image) in enumerate(zip(self._values, self._images, strict=True))
        ]
        return _PAGE.format(
            name=escape(self._name),
            last=len(images) - 1,
            start=self._start,
            chosen=escape(self._values[self._start]),
            images="\n".join(images),
        )


def _png(figure: Figure) -> str:
    """Draw a figure in 256 colours, which is a third of the bytes, and close it."""
    from PIL import Image  # matplotlib's own dependency

    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=110)
    plt.close(figure)
    small = io.BytesIO()
    Image.open(drawn).convert("RGB").quantize(256).save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode()
