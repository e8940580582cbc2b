"""Where the closed forms are computed, and what is said if that is not possible."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch

from vaeimpute.imputers import (
    GaussianImputer,
    KNNImputer,
    SVDImputer,
    VAEImputer,
    load_imputer,
    save_imputer,
)
from vaeimpute.imputers import _backend as _devices
from vaeimpute.imputers._backend import Algebra, TorchAlgebra

CLOSED_FORMS = [
    pytest.param(KNNImputer, id="KNN"),
    pytest.param(SVDImputer, id="SVD"),
    pytest.param(partial(SVDImputer, joint=False, n_components=4), id="SVD alone"),
    pytest.param(partial(GaussianImputer, alpha=0.1), id="Gaussian"),
]


@pytest.fixture
def matrix():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 20)) + 0.1 * rng.normal(size=(50, 20))
    return np.where(rng.random(X.shape) < 0.1, np.nan, X)


@pytest.fixture
def torch_as_gpu(monkeypatch):
    """Let "cuda" be torch on the CPU, which copies what it is sent just as a GPU does."""
    find = _devices.find_algebra
    monkeypatch.setattr(
        _devices,
        "find_algebra",
        lambda device: TorchAlgebra("cpu") if device == "cuda" else find(device),
    )


@pytest.mark.parametrize("method", CLOSED_FORMS)
def test_a_device_that_is_not_there_is_named(method, matrix, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="'cuda' but torch finds no such GPU"):
        method(device="cuda").fit(matrix)
    for nonsense in ("gpu", "CPU", None, 3):
        with pytest.raises(ValueError, match=f"'mps' but got {nonsense!r}"):
            method(device=nonsense).fit(matrix)


def test_a_training_gives_its_memory_back(matrix, monkeypatch):
    freed = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: freed.append(True))
    VAEImputer(hidden_sizes=(4,), latent_dim=2, n_epochs=1, device="cpu").fit(matrix)
    assert freed


def test_a_gpu_beyond_those_that_are_there_is_named(matrix, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert [_devices.find_device(name) for name in ("cuda", "cuda:0")] == ["cuda", "cuda:0"]
    with pytest.raises(ValueError, match="'cuda:1' but torch finds no such GPU"):
        KNNImputer(device="cuda:1").fit(matrix)


@pytest.mark.parametrize("method", CLOSED_FORMS)
def test_auto_is_the_cpu_without_a_gpu(method, matrix, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    ours = method(device="auto").fit(matrix).transform(matrix)
    np.testing.assert_array_equal(ours, method().fit(matrix).transform(matrix))


def test_the_gpu_of_a_mac_is_no_good(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert _devices.find_algebra("auto") == Algebra()
    with pytest.raises(ValueError, match=r"no float64, .*; take 'cpu'"):
        _devices.find_algebra("mps")


@pytest.mark.parametrize("method", CLOSED_FORMS)
def test_other_rows_are_learnt_from_anew(method, matrix, torch_as_gpu):
    """What the device holds of the first fit is not what the second works with."""
    imputer = method(device="cuda").fit(matrix[:20])
    imputer.transform(matrix[20:])
    again = imputer.fit(matrix[10:40]).transform(matrix[40:])
    np.testing.assert_allclose(
        again, method().fit(matrix[10:40]).transform(matrix[40:]), rtol=0, atol=1e-8
    )


@pytest.mark.parametrize("method", CLOSED_FORMS)
def test_the_device_can_be_changed_after_the_fit(method, matrix, torch_as_gpu):
    imputer = method(device="cuda").fit(matrix[:40])
    filled = imputer.transform(matrix[40:])
    moved = pickle.loads(pickle.dumps(imputer)).set_params(device="cpu")
    np.testing.assert_allclose(moved.transform(matrix[40:]), filled, rtol=0, atol=1e-8)


@pytest.mark.parametrize("method", CLOSED_FORMS)
def test_neither_pickle_nor_file_needs_the_device(method, matrix, torch_as_gpu, tmp_path):
    imputer = method(device="cuda").fit(matrix[:40])
    filled = imputer.transform(matrix[40:])
    kept = pickle.dumps(imputer)
    assert b"torch" not in kept  # no array of the device's
    np.testing.assert_array_equal(pickle.loads(kept).transform(matrix[40:]), filled)
    save_imputer(imputer, tmp_path / "model.safetensors")
    loaded = load_imputer(tmp_path / "model.safetensors", device="cpu")
    np.testing.assert_allclose(loaded.transform(matrix[40:]), filled, rtol=0, atol=1e-8)
