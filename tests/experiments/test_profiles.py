"""Profiles are papermill's parameter files and fit the chapters."""

from pathlib import Path

import papermill
import pytest
import yaml

from vaeimpute.exceptions import ProfileError
from vaeimpute.methods import METHODS
from vaeimpute.profiles import PROFILES, read_profile

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "vaeimpute" / "profiles"
CHAPTERS = (
    "02_missingness",
    "03_vae",
    "04_expression_rmse",
    "05_shift_correction",
    "06_methylation",
    "08_imputation_time",
    "09_beta_vae",
    "10_open_questions",
)


@pytest.mark.parametrize("name", PROFILES)
def test_papermill_reads_the_same_values(name):
    # What `papermill --parameters_file` does with a file.
    parameters = yaml.load((FOLDER / f"{name}.yml").read_text(), Loader=yaml.SafeLoader)
    assert parameters == read_profile(name).parameters()


# Chapter 6 trains for as many steps as the paper did, chapter 9 trains seven networks, and chapter
# 10 follows some for longer.
OWN_SIZES = {
    "05_shift_correction": {"n_trials"},
    "06_methylation": {"n_epochs", "batch_size"},
    "09_beta_vae": {"hidden_sizes"},
    "10_open_questions": {"hidden_sizes", "n_epochs", "betas"},
}


def test_quick_is_what_the_chapters_do_without_parameters():
    quick = read_profile("quick").parameters()
    for chapter in CHAPTERS:
        inspected = papermill.inspect_notebook(str(ROOT / "notebooks" / f"{chapter}.ipynb"))
        shared = {
            name: yaml.safe_load(entry["default"])
            for name, entry in inspected.items()
            if name in quick
        }
        shared = {n: float(v) if n == "learning_rate" else v for n, v in shared.items()}
        assert shared
        differ = {name for name in shared if shared[name] != quick[name]}
        assert differ == OWN_SIZES.get(chapter, set())


def test_paper_is_the_papers_network():
    vae = METHODS["vae"].build(read_profile("paper"))
    defaults = type(vae)().get_params()
    changed = {k for k, v in vae.get_params().items() if repr(v) != repr(defaults[k])}  # NaN != NaN
    assert changed == {"random_state"}


def test_a_file_changes_some_and_leaves_the_others(tmp_path):
    (tmp_path / "mine.yml").write_text("n_trials: 3\nlearning_rate: 1\n")
    profile = read_profile(tmp_path / "mine.yml")
    assert profile.name == "mine"
    assert (profile.n_trials, profile.learning_rate) == (3, 1.0)
    assert profile.hidden_sizes == read_profile("quick").hidden_sizes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_trails: 3\nseed: 1", r"unknown parameters: n_trails, seed\. There are n_trials, "),
        ("n_trials: ten", r"expected n_trials as int but got 'ten'\.$"),
        ("n_trials: true", r"expected n_trials as int but got True\.$"),
        ("learning_rate: 5e-5", r"float but got '5e-5'\. YAML takes 5e-5 for text; write 5\.0e-5"),
        ("hidden_sizes: 256", r"expected hidden_sizes as list of int but got 256"),
        ("hidden_sizes: [a]", r"expected hidden_sizes as list of int"),
        ("- n_trials", r"no list of lines 'name: value'"),
        ("", r"no list of lines 'name: value'"),
        ("a: [", r"cannot be read: "),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, text, message):
    (tmp_path / "mine.yml").write_text(text)
    with pytest.raises(ProfileError, match=message):
        read_profile(tmp_path / "mine.yml")


def test_parameters_given_prevail_and_are_checked():
    profile = read_profile("quick", n_trials=2, hidden_sizes=(8, 4), learning_rate=1, betas=[0])
    assert (profile.n_trials, profile.hidden_sizes, profile.betas) == (2, (8, 4), (0.0,))
    assert profile.name == "quick,betas=0,hidden_sizes=8-4,learning_rate=1,n_trials=2"
    assert read_profile("quick", gc_source="a/gc.csv").name == "quick,gc_source=gc.csv"
    with pytest.raises(ProfileError, match=r"unknown parameters: n_trails\. There are n_trials, "):
        read_profile("quick", n_trails=2)
    with pytest.raises(ProfileError, match=r"expected n_trials as int but got \(2,\)\."):
        read_profile("quick", n_trials=(2,))


def test_a_profile_that_is_not_there(tmp_path):
    with pytest.raises(ProfileError, match=r"Unknown profile 'full'; choose quick or paper"):
        read_profile("full")
    with pytest.raises(ProfileError, match="There is no profile at"):
        read_profile(tmp_path / "none.yml")
