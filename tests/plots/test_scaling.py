import pandas as pd
import pytest

from vaeimpute.plots import plot_scaling


@pytest.mark.parametrize(
    ("sizes", "labels"),
    [([200, 400, 1600], ["200", "400", "1600"]), ([0.03, 0.1], ["0.03", "0.1"])],
)
def test_a_few_sizes_are_marked_each(sizes, labels):
    points = pd.DataFrame({"program": "KNN", "varied": "n", "n": sizes, "total_seconds": 1.0})
    ax = plot_scaling(points, "n", xlabel="training rows")
    assert [label.get_text() for label in ax.get_xticklabels()] == labels
    assert not len(ax.xaxis.get_minorticklocs())


def test_many_sizes_are_marked_by_powers_of_ten_that_do_not_overlap():
    sizes = [25, 50, 100, 200, 1000, 2000, 4000, 8000, 16000]
    points = pd.DataFrame({"program": "KNN", "varied": "n", "n": sizes, "total_seconds": 1.0})
    ax = plot_scaling(points, "n", xlabel="genes")
    ax.figure.canvas.draw()
    named = [
        label.get_text()
        for label in ax.get_xticklabels(which="both")
        if label.get_text() and ax.get_xlim()[0] <= label.get_position()[0] <= ax.get_xlim()[1]
    ]
    assert len(named) == 3
