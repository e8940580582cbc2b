import numpy as np
import pandas as pd
import pytest

from vaeimpute.plots import METHOD_COLORS, plot_coverage_and_error, plot_error_by_coverage


def test_every_method_has_a_line_over_the_same_classes():
    rows = [
        (method, reads, label, error / (1 + number))
        for method, error in [("KNN", 0.5), ("VAE", 0.4), ("measured", 0.6)]
        for number, (reads, label) in enumerate([(1, "1-3"), (4, "4-5"), (6, "6+")])
        if (method, reads) != ("VAE", 4)
    ]
    table = pd.DataFrame(rows, columns=["method", "reads", "label", "mae"])
    ax = plot_error_by_coverage(table, threshold=6)
    lines = {line.get_label(): line for line in ax.lines}
    assert lines["KNN"].get_xdata().tolist() == [0, 1, 2]
    assert lines["VAE"].get_xdata().tolist() == [0, 2]  # a class that it lacks is a gap
    assert lines["VAE"].get_color() == METHOD_COLORS["VAE"]
    assert lines["measured"].get_color() == "black"
    assert ax.lines[-1].get_xdata()[0] == 1.5  # between 4-5 and 6+
    assert "standard deviations" in ax.get_ylabel()


@pytest.mark.parametrize("n", [40, 4000])
def test_every_site_is_a_dot(n):
    rng = np.random.default_rng(0)
    relation = pd.DataFrame({"mean_reads": rng.gamma(4, 4, size=n), "mae": rng.random(n)})
    ax = plot_coverage_and_error(relation, what="site", method="KNN")
    assert len(ax.collections[0].get_offsets()) == n
    assert len(ax.lines[0].get_xdata()) == 8
    assert ax.get_xlabel() == "mean reads of the site"
