"""For tests and the examples in docstrings alike."""

import sys

import pytest


@pytest.fixture(autouse=True)
def _close_figures():
    """Let no figure outlive the test or the example that drew it: matplotlib warns of many."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
