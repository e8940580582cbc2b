"""Settings for all tests."""

import matplotlib as mpl
import pytest

mpl.use("Agg")  # no window, whatever the machine has


@pytest.fixture(scope="session", autouse=True)
def _one_torch_thread():
    """On networks as small as those of the tests, starting threads costs more than it saves."""
    import torch

    torch.set_num_threads(1)
