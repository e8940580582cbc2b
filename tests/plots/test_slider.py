"""Figures with a slider, as a browser and as a page without scripts shows them."""

import base64
import io
import re

import matplotlib.pyplot as plt
import pytest
from matplotlib.image import imread

from vaeimpute.plots import Slider

ALT = {"0": "flat", "1 & 2": 'steeper than "0"'}


def figures():
    drawn = {}
    for slope, value in enumerate(ALT):
        drawn[value], ax = plt.subplots(figsize=(3, 2))
        ax.plot([0, slope])
    return drawn


def test_all_figures_are_there_and_one_is_shown():
    page = Slider(figures(), name="slope <b>", alt=ALT, start="1 & 2")._repr_html_()
    images = re.findall(r"<img .*?>", page)
    assert [" hidden" in image for image in images] == [True, False]
    assert 'alt="steeper than &quot;0&quot;"' in images[1]
    assert "slope &lt;b&gt;" in page
    assert "<output>1 &amp; 2</output>" in page
    assert 'max="1" value="1"' in page
    first, second = (
        imread(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)", image)[1])))
        for image in images
    )
    assert first.shape == second.shape
    assert (first != second).any()
    assert not plt.get_fignums()


def test_it_works_from_the_file_system_and_is_the_same_in_every_run():
    first, second = (Slider(figures(), name="slope", alt=ALT)._repr_html_() for _ in range(2))
    assert first == second
    assert "http" not in first
    assert re.search(r"<noscript><style>.slider label {.*none }</style></noscript>", first)


def test_every_figure_needs_words():
    with pytest.raises(ValueError, match="No alternative text for slope 1 & 2"):
        Slider(figures(), name="slope", alt={"0": "flat"})
    plt.close("all")
