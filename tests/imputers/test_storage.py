import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from vaeimpute.exceptions import DeviceError, EmptyFeatureWarning, ModelFileError
from vaeimpute.imputers import (
    AdaptiveImputer,
    AutoencoderImputer,
    GaussianImputer,
    KNNImputer,
    MeanImputer,
    RandomImputer,
    SVDImputer,
    VAEImputer,
    load_imputer,
    read_card,
    save_imputer,
)

SMALL = {"hidden_sizes": (16,), "latent_dim": 4, "n_epochs": 5, "device": "cpu", "random_state": 0}
CARD = "format", "module", "class", "parameters", "n_features", "feature_names", "training"
IMPUTERS = [
    MeanImputer(),
    RandomImputer(),
    KNNImputer(n_neighbors=np.int64(3)),
    GaussianImputer(random_state=np.random.RandomState(0)),
    AdaptiveImputer(random_state=0, marginals="values"),
    AdaptiveImputer(random_state=0, marginals="ranks"),
    SVDImputer(n_components=3),
    SVDImputer(n_components="auto", joint=False, random_state=0),
    AutoencoderImputer(**SMALL, masking_noise=0.1),
    VAEImputer(**SMALL, scale="shared"),
]


@pytest.fixture
def frames():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 12)) * 50 + 1000
    values[rng.random(values.shape) < 0.1] = np.nan
    frame = pd.DataFrame(values).add_prefix("gene")
    return frame.iloc[:30], frame.iloc[30:]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("imputer", IMPUTERS, ids=lambda imputer: type(imputer).__name__)
def test_a_loaded_imputer_imputes_as_the_saved_one(imputer, frames, path):
    train, new = frames
    save_imputer(imputer.fit(train), path, units="counts")
    loaded = load_imputer(path)
    assert type(loaded) is type(imputer)
    np.testing.assert_allclose(loaded.transform(new), imputer.transform(new), rtol=1e-6)
    for chosen in ("alpha_", "n_components_"):
        assert getattr(loaded, chosen, None) == getattr(imputer, chosen, None)
    assert loaded.get_feature_names_out().tolist() == list(train)
    card = read_card(path)
    assert card["units"] == "counts"
    assert card["feature_names"] == list(train)
    assert card["versions"]["vaeimpute"]
    with pytest.raises(ValueError, match="'gene3' missing"):
        loaded.transform(new.rename(columns={"gene3": "other"}))


@pytest.mark.parametrize("imputer", [KNNImputer(), VAEImputer(**SMALL)], ids=["KNN", "VAE"])
@pytest.mark.parametrize("keep", [False, True])
def test_empty_features_and_indicators_survive(imputer, keep, frames, path):
    train, new = frames
    train = train.assign(gene4=np.nan)
    imputer = clone(imputer).set_params(missing_values=-1, add_indicator=True)
    imputer.set_params(keep_empty_features=keep)
    with warnings.catch_warnings() if keep else pytest.warns(EmptyFeatureWarning):
        save_imputer(imputer.fit(train.fillna(-1)), path)
    loaded = load_imputer(path)
    np.testing.assert_array_equal(
        loaded.transform(new.fillna(-1)), imputer.transform(new.fillna(-1))
    )
    assert loaded.get_feature_names_out().tolist() == imputer.get_feature_names_out().tolist()


def test_a_function_cannot_be_saved(frames, path):
    with pytest.raises(ValueError, match="whose weights is a function cannot be saved"):
        save_imputer(KNNImputer(weights=np.ones_like).fit(frames[0]), path)
    assert not path.exists()


def test_another_process_gets_the_same(frames, path, tmp_path):
    train, new = frames
    imputer = VAEImputer(**SMALL).fit(train)
    save_imputer(imputer, path)
    new.to_parquet(tmp_path / "new.parquet")
    code = (
        "import pandas as pd; from vaeimpute.imputers import load_imputer\n"
        "filled = load_imputer('model.safetensors', device='cpu').transform("
        "pd.read_parquet('new.parquet'))\n"
        "pd.DataFrame(filled).to_csv('filled.csv', index=False)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    filled = pd.read_csv(tmp_path / "filled.csv").to_numpy()
    np.testing.assert_allclose(filled, imputer.transform(new), rtol=1e-6)


def test_what_the_model_can_do_survives(frames, path):
    train, new = frames
    imputer = VAEImputer(**SMALL).fit(train)
    save_imputer(imputer, path)
    loaded = load_imputer(path)
    np.testing.assert_allclose(loaded.predict_std(new), imputer.predict_std(new), rtol=1e-6)
    pd.testing.assert_frame_equal(loaded.history_, imputer.history_)


def test_a_file_that_is_cut_short_is_refused(frames, path):
    save_imputer(MeanImputer().fit(frames[0]), path)
    content = path.read_bytes()
    for end in (0, 5, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:end])
        with pytest.raises(ModelFileError, match="cut short"):
            load_imputer(path)


def test_files_of_others_are_refused(path, tmp_path):
    save_file({"weight": np.zeros(3)}, path)
    with pytest.raises(ModelFileError, match="another program"):
        load_imputer(path)
    path.write_bytes(b"\x80\x04\x95 a pickle that would run something")
    with pytest.raises(ModelFileError, match="not a saved imputer"):
        load_imputer(path)
    with pytest.raises(FileNotFoundError, match=r"no file .*absent"):
        load_imputer(tmp_path / "absent")


SAVED = {
    "Mean": MeanImputer(),
    "KNN": KNNImputer(),
    "Gaussian": GaussianImputer(alpha=1.0),
    "SVD": SVDImputer(n_components=3, joint=False),
    "VAE": VAEImputer(**SMALL),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Card and arrays of some fitted imputers."""
    X = np.random.default_rng(0).normal(size=(20, 6))
    path, files = tmp_path_factory.mktemp("saved") / "model.safetensors", {}
    for name, imputer in SAVED.items():
        save_imputer(clone(imputer).fit(pd.DataFrame(X, columns=list("abcdef"))), path)
        files[name] = read_card(path), load_file(path)
    return files


def write(path, card, arrays):
    save_file(arrays, path, {"card": json.dumps(card)})


@pytest.mark.parametrize("name", SAVED)
@pytest.mark.parametrize(
    "changes",
    [
        {"class": "os.system"},
        {"class": "np"},
        {"class": "check_names"},
        {"module": "os"},
        {"module": "nowhere"},
        {"module": "../cohorts"},
        {"module": "knn.knn"},
        {"parameters": {"no_such": 1}},
        {"n_features": 5},
        {"feature_names": list("abcde")},
        {"feature_names": list(range(6))},
        {"feature_names": [], "n_features": 99},
        *({key: None} for key in (*CARD, "versions")),
        *({key: True} for key in CARD),
        *({key: 3.5} for key in CARD),
        *({key: "text"} for key in ("format", "parameters", "n_features", "training")),
        *({key: [{}]} for key in CARD),
    ],
    ids=str,
)
def test_a_card_that_was_tampered_with_is_refused(saved, path, name, changes):
    card, arrays = saved[name]
    write(path, card | changes, arrays)
    with pytest.raises(ModelFileError, match="model"):
        load_imputer(path)


@pytest.mark.parametrize("name", SAVED)
def test_a_card_without_one_of_its_parts_is_refused(saved, path, name):
    card, arrays = saved[name]
    for part in card:
        write(path, {key: value for key, value in card.items() if key != part}, arrays)
        with pytest.raises(ModelFileError, match=f"'{part}' missing"):
            load_imputer(path)


@pytest.mark.parametrize(
    "content", ["", "{", "null", "[]", "3", '"card"', '{"class": "KNNImputer"']
)
def test_a_card_that_is_none_is_refused(path, content):
    save_file({"weight": np.zeros(3)}, path, {"card": content})
    with pytest.raises(ModelFileError, match="card that vaeimpute did not write"):
        read_card(path)


def test_a_card_of_a_newer_format_says_to_update(saved, path):
    card, arrays = saved["Mean"]
    write(path, card | {"format": 99}, arrays)
    with pytest.raises(ModelFileError, match=r"newer version .* format 99.* Update vaeimpute"):
        load_imputer(path)


@pytest.mark.parametrize("value", [None, True, -1, 2.5, "text", [], {}, [[1]]], ids=str)
@pytest.mark.parametrize(
    ("name", "parameter"),
    [("KNN", "n_neighbors"), ("SVD", "tol"), ("Gaussian", "precision"), ("VAE", "hidden_sizes")],
)
def test_parameters_without_a_meaning_are_refused(saved, path, name, parameter, value):
    card, arrays = saved[name]
    if parameter == "tol" and value == 2.5:
        pytest.skip("it has one")
    write(path, card | {"parameters": card["parameters"] | {parameter: value}}, arrays)
    with pytest.raises(ModelFileError, match="does not fit its own card"):
        load_imputer(path)


@pytest.mark.parametrize("name", SAVED)
def test_arrays_that_are_missing_or_of_another_shape_are_refused(saved, path, name):
    card, arrays = saved[name]
    for lost in arrays:
        changes = [{}, {lost: np.zeros((*arrays[lost].shape, 2))}]
        if arrays[lost].ndim:
            changes.append({lost: np.concatenate([arrays[lost]] * 2, axis=-1)})
        for change in changes:
            write(path, card, {key: a for key, a in arrays.items() if key != lost} | change)
            with pytest.raises(ModelFileError, match="does not fit its own card"):
                load_imputer(path)


def test_a_device_that_is_not_here_is_not_the_files_fault(saved, path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    for card, arrays in (saved["KNN"], saved["VAE"]):
        write(path, card | {"parameters": card["parameters"] | {"device": "cuda"}}, arrays)
        with pytest.raises(DeviceError, match="load_imputer has a device too"):
            load_imputer(path)
        load_imputer(path, device="cpu")


def test_an_imputer_that_is_not_fitted_is_refused(path):
    with pytest.raises(NotFittedError):
        save_imputer(VAEImputer(), path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(frames, path, monkeypatch):
    save_imputer(MeanImputer().fit(frames[0]), path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        save_imputer(MeanImputer().fit(frames[0] * 2), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
