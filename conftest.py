"""For the tests, the examples in docstrings and the notebooks alike."""

import os
import sys

import pytest

# Workers of xdist have a processor each. numpy, torch and the kernels of notebooks read these when
# they start; threads that wait shall sleep, not spin.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(autouse=True)
def _close_figures():
    """Let no figure outlive the test or the example that drew it: matplotlib warns of many."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
