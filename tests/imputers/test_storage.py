import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.exceptions import NotFittedError

from vaeimpute.exceptions import ModelFileError
from vaeimpute.imputers import (
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
IMPUTERS = [
    MeanImputer(),
    RandomImputer(),
    KNNImputer(n_neighbors=np.int64(3)),
    GaussianImputer(random_state=np.random.RandomState(0)),
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
    with pytest.raises(ValueError, match="feature names"):
        loaded.transform(new.rename(columns={"gene3": "other"}))


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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "newer format.*Update vaeimpute"),
        ({"class": "os.system"}, "'os.system', which this version has not"),
        ({"parameters": {"hidden_sizes": [99]}}, "does not fit its own card"),
        ({"parameters": {"no_such": 1}}, "does not fit its own card"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(frames, path, change, message):
    save_imputer(VAEImputer(**SMALL).fit(frames[0]), path)
    card = read_card(path) | change
    save_file(load_file(path), path, {"card": json.dumps(card)})
    with pytest.raises(ModelFileError, match=message):
        load_imputer(path)


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
