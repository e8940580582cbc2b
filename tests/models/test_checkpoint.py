"""A run that is killed goes on from its checkpoint as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys

import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from vaeimpute.exceptions import CheckpointError
from vaeimpute.models import Checkpoint, Validation, VariationalAutoencoder, train

# The same run, in a process of its own or in this one. Told to, it kills itself in a batch in the
# middle of the eighth epoch, of three batches each.
SCRIPT = """
import os, signal, sys
import torch
from vaeimpute.models import Checkpoint, Validation, VariationalAutoencoder, train

def generator(seed):
    return torch.Generator().manual_seed(seed)

class Mortal(VariationalAutoencoder):
    batches_left = -1

    def loss(self, x, observed, noise):
        self.batches_left -= 1
        if self.batches_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().loss(x, observed, noise)

def run(checkpoint, precision, batches=-1):
    data = torch.randn(60, 30, generator=generator(0))
    hidden = torch.rand(10, 30, generator=generator(1)) < 0.2
    validation = Validation(data[:10], hidden, restore_best=True)
    model = Mortal(30, hidden_sizes=(16,), latent_dim=4, generator=generator(2))
    model.batches_left = batches
    history = train(
        model, data[10:], n_epochs=40, batch_size=20, learning_rate=1e-2, precision=precision,
        generator=generator(3), callbacks=[validation, Checkpoint(checkpoint, seconds=0)],
    )
    return model.state_dict(), history

if __name__ == "__main__":
    torch.set_num_threads(1)
    run(sys.argv[1], sys.argv[2], batches=7 * 3 + 2)
"""


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_killed_run_ends_with_the_weights_of_an_uninterrupted_one(tmp_path, precision):
    checkpoint = tmp_path / "killed.checkpoint"
    killed = subprocess.run([sys.executable, "-c", SCRIPT, str(checkpoint), precision])
    assert killed.returncode == -signal.SIGKILL
    assert epochs_in(checkpoint) == 7

    here = {}
    exec(SCRIPT, here)
    resumed, resumed_history = here["run"](checkpoint, precision)
    whole, whole_history = here["run"](tmp_path / "whole.checkpoint", precision)
    for name, weight in whole.items():
        assert torch.equal(weight, resumed[name]), name
    pd.testing.assert_frame_equal(resumed_history, whole_history)
    assert not list(tmp_path.iterdir())  # nothing is left of it once training is complete


def epochs_in(checkpoint):
    with safe_open(checkpoint, framework="pt") as file:
        return len(json.loads(file.metadata()["checkpoint"])["history"])


@pytest.fixture
def data():
    return torch.randn(30, 12, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.checkpoint"


def run(path, data, seed=1, beta=1.0, stop_after=None, before=(), seconds=0, **settings):
    generator = torch.Generator().manual_seed(seed)
    model = VariationalAutoencoder(12, hidden_sizes=(8,), latent_dim=2, beta=beta,
                                   generator=generator)  # fmt: skip
    if stop_after is not None:
        loss, left = model.loss, [stop_after]

        def stopping(*args):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return loss(*args)

        model.loss = stopping
    callbacks = [*before, Checkpoint(path, seconds)]
    settings = {"n_epochs": 6, "generator": generator, "callbacks": callbacks} | settings
    return train(model, data, **settings)


def stopped(path, data, **settings):
    with pytest.raises(KeyboardInterrupt):
        run(path, data, stop_after=3, **settings)
    assert epochs_in(path) == 3


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 2}, "initial weights, seed"),
        ({"beta": 4.0}, "model"),
        ({"learning_rate": 1e-3}, "learning_rate"),
        ({"n_epochs": 9}, "n_epochs"),
        ({"precision": "bfloat16"}, "precision"),
    ],
)
def test_the_checkpoint_of_another_run_is_refused_by_name(path, data, change, named):
    stopped(path, data)
    with pytest.raises(CheckpointError, match=f"belongs to another run: {named} differ.* Delete"):
        run(path, data, **change)
    assert epochs_in(path) == 3  # it is left alone
    assert len(run(path, data)) == 6


def test_other_data_are_noticed(path, data):
    stopped(path, data)
    with pytest.raises(CheckpointError, match="another run: data differ"):
        run(path, data + 1)
    hidden = torch.zeros(data.shape, dtype=torch.bool)
    hidden[0, 0] = True
    with pytest.raises(CheckpointError, match="another run: validation differ"):
        run(path, data, before=[Validation(data, hidden)])


def test_a_file_that_is_no_checkpoint_is_refused(path, data):
    stopped(path, data)
    content = path.read_bytes()
    tensors = {name: tensor.clone() for name, tensor in load_file(path).items()}  # not a view of it
    for wrong in (b"", b"something else", content[: len(content) // 2]):
        path.write_bytes(wrong)
        with pytest.raises(CheckpointError, match="Delete it to start from the beginning"):
            run(path, data)
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        run(path, data)


def test_a_write_that_fails_leaves_the_last_checkpoint(path, data, monkeypatch):
    stopped(path, data)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        run(path, data)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_none_is_written_before_its_time(path, data):
    with pytest.raises(KeyboardInterrupt):
        run(path, data, stop_after=3, seconds=600)
    assert not path.exists()


def test_a_place_where_none_can_be_written_is_noticed_at_once(tmp_path, data):
    (tmp_path / "file").touch()
    for path, reason in [(tmp_path, "it is a folder"), (tmp_path / "file" / "run", "File exists")]:
        with pytest.raises(CheckpointError, match=f"No checkpoint can be written .*{reason}"):
            run(path, data, seconds=600)
    with pytest.raises(ValueError, match="A checkpoint needs a generator"):
        train(VariationalAutoencoder(12), data, callbacks=[Checkpoint(tmp_path / "run")])


def test_a_checkpoint_that_is_refused_leaves_the_model_as_it_was(path, data):
    path.write_bytes(b"something else")
    model = VariationalAutoencoder(12, hidden_sizes=(8,), latent_dim=2)
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(CheckpointError):
        train(model, data, precision="bfloat16", generator=generator, callbacks=[Checkpoint(path)])
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
