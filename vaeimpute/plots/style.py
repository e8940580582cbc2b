"""The look that all figures share."""

from __future__ import annotations

import seaborn as sns

# One fixed colour per method. They differ in lightness as well as in hue (from the palette of Okabe
# and Ito, made for colour-blind readers, or near it), so that a greyscale print still tells them
# apart.
METHOD_COLORS = {
    "random": "#F0E9A8",
    "mean": "#C8C8C8",
    "KNN": "#70BEEC",
    "SVD": "#007A5A",
    "SVD, tuned": "#3A0018",
    "Gaussian": "#D55E00",
    "VAE": "#1B3A6B",
    "VAE, shifted": "#BF76A2",
}
LEVELS = "viridis"  # ordered categories and continuous variables


def use_style() -> None:
    """Set the look of all figures: white ground in light and dark mode, sizes that fit a page."""
    sns.set_theme(
        context="notebook",
        style="ticks",
        rc={
            "figure.figsize": (7.5, 4.0),
            "figure.dpi": 110,
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.grid.axis": "y",
            "grid.color": "0.9",
            "axes.axisbelow": True,
            "legend.frameon": False,
        },
    )
