"""Training on two processes, which are devices to Lightning Fabric."""

import subprocess
import sys

import pytest
import torch

from vaeimpute.models import VariationalAutoencoder, train_on_devices

# In a process of its own: Fabric starts others, and sets variables of the environment.
SCRIPT = """
import sys
import torch
from vaeimpute.models import Validation, VariationalAutoencoder, train, train_on_devices

def generator(seed):
    return torch.Generator().manual_seed(seed)

if __name__ == "__main__":
    torch.set_num_threads(1)
    # Batches of 8, 8 and 1: in the last one, the second process has no row at all.
    data = torch.randn(27, 12, generator=generator(0))
    data[3, 4] = torch.nan
    hidden = torch.rand(10, 12, generator=generator(1)) < 0.2
    validation = Validation(data[:10].nan_to_num(), hidden)
    results = []
    for n_devices in (1, 2):
        # More weights than a pipe holds.
        model = VariationalAutoencoder(
            12, hidden_sizes=(800,), latent_dim=2, generator=generator(2)
        )
        random = generator(3)
        settings = {"n_epochs": 5, "batch_size": 8, "learning_rate": 1e-2}
        settings |= {"callbacks": [validation], "generator": random}
        if n_devices == 1:
            history = train(model, data[10:], **settings)
        else:
            history = train_on_devices(
                model, data[10:], n_devices=2, accelerator="cpu", **settings
            )
        results.append((model.state_dict(), history.to_dict("list"), random.get_state()))
    torch.save(results, sys.argv[1])
"""


def test_two_processes_match_one(tmp_path):
    pytest.importorskip("lightning_fabric", reason="Lightning Fabric is not installed")
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "script.py", "results.pt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    one, two = torch.load(tmp_path / "results.pt")
    for name, weight in one[0].items():
        torch.testing.assert_close(two[0][name], weight, rtol=1e-4, atol=1e-6, msg=name)
    assert list(one[1]) == list(two[1])
    for name, column in one[1].items():
        assert two[1][name] == pytest.approx(column, rel=1e-4), name
    assert torch.equal(one[2], two[2])  # what is drawn next does not depend on the devices


def test_without_fabric_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    model = VariationalAutoencoder(4, hidden_sizes=(3,), latent_dim=1)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'vaeimpute\[devices\]'"):
        train_on_devices(model, torch.zeros(5, 4), n_devices=2)
