"""The page says what the numbers say, and nothing from the user's file runs in it."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from vaeimpute.comparison import compare_on
from vaeimpute.comparison.report import list_cautions, render_report
from vaeimpute.imputers import GaussianImputer, MeanImputer, RandomImputer
from vaeimpute.methods import build_own

EVIL = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(0)
    array = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 50))
    array[rng.random(array.shape) < 0.1] = np.nan
    array[:30, 7] = np.nan
    frame = pd.DataFrame(array, [f"s{i}" for i in range(40)]).add_prefix("g")
    return frame.rename(columns={"g7": EVIL}, index={"s3": '"><img src=x onerror=alert(1)>'})


@pytest.fixture(scope="module")
def comparison(values):
    methods = {"mean": MeanImputer(), "VAE": build_own("vae", 50, device="cpu")}
    return compare_on(values, methods, "random", with_std=True)


@pytest.fixture(scope="module")
def page(values, comparison):
    return render_report(f"{EVIL}.csv", values, "VAE", comparison, settings=["seed 0"])


def test_names_from_the_file_are_escaped(page):
    soup = BeautifulSoup(page, "html.parser")
    assert soup.find("script") is None
    assert all(image["src"].startswith("data:image/png;base64,") for image in soup.find_all("img"))
    assert all(not name.startswith("on") for tag in soup.find_all() for name in tag.attrs)
    assert f"{EVIL}.csv" in soup.h1.text
    assert EVIL in [cell.text for cell in soup.find_all("td")]


def test_it_needs_nothing_beside_it(page):
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert "http" not in re.sub(r"base64,[^\"]*", "", page)
    assert "url(" not in page


def test_every_picture_has_words(page):
    images = BeautifulSoup(page, "html.parser").find_all("img")
    assert len(images) == 4  # missing values, errors, errors of features, coverage
    assert all(len(image["alt"]) > 20 for image in images)


def test_numbers_are_those_of_the_comparison(page, values, comparison):
    soup = BeautifulSoup(page, "html.parser")
    text = soup.text
    assert f"{values.isna().sum().sum()} values" in text
    for error in comparison.table["mae"]:
        assert f"{error:.4f}" in text
    worst = comparison.errors_per_feature("VAE").iloc[0]
    table = next(t for t in soup.find_all("table") if t.th and t.th.text == "feature"
                 and "error" in t.thead.text)  # fmt: skip
    assert [cell.text for cell in table.tbody.find("tr").find_all("td")][1:] == [
        f"{worst['mae']:.3f}", str(int(worst["n_hidden"])),
    ]  # fmt: skip


def test_the_same_facts_make_the_same_page(page, values, comparison):
    again = render_report(f"{EVIL}.csv", values, "VAE", comparison, settings=["seed 0"])
    assert again == page


def test_cautions_follow_from_the_numbers(values, comparison):
    cautions = " ".join(list_cautions(values, "VAE", comparison, mnar_low=False))
    assert "1 of 50 features are missing in more than half of the samples" in cautions
    assert "the imputed values are too high" in cautions
    believes_too_much = comparison.residuals["VAE"].assign(std=lambda table: table["std"] / 3)
    comparison = replace(comparison, residuals={**comparison.residuals, "VAE": believes_too_much})
    coverage = (np.abs(comparison.standardized_residuals("VAE")) < 1.96).mean()
    assert coverage < 0.9
    cautions = " ".join(list_cautions(values, "VAE", comparison, mnar_low=False))
    promise = f"Intervals of VAE that promise 95 % hold {100 * coverage:.0f} % of the hidden values"
    assert f"{promise}: large errors are more frequent" in cautions
    assert "too high" not in " ".join(list_cautions(values, "VAE", comparison, mnar_low=True))


def test_noise_is_called_noise():
    noise = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 50)))
    methods = {"mean": MeanImputer(), "Gaussian": GaussianImputer(random_state=0)}
    found = compare_on(noise, methods, "random")
    cautions = " ".join(list_cautions(noise, "Gaussian", found, mnar_low=False))
    assert "Gaussian is not clearly better than the mean of the feature" in cautions
    methods = {"mean": MeanImputer(), "random": RandomImputer(random_state=0)}
    cautions = list_cautions(noise, "random", compare_on(noise, methods, "random"), mnar_low=True)
    assert "random is not clearly better than the mean" in " ".join(cautions)


def test_from_the_command_line(tmp_path, monkeypatch, values):
    from typer.testing import CliRunner

    from vaeimpute.cli import app

    monkeypatch.chdir(tmp_path)
    values.to_csv("in.csv")
    arguments = ["impute", "in.csv", "-o", "out.csv", "--method", "knn", "--report", "r.html"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    page = Path("r.html").read_text(encoding="utf-8")
    assert EVIL not in page
    text = BeautifulSoup(page, "html.parser").text
    assert "KNN has no standard deviations" in text
    assert "KNN errs least on hidden values" in text


def test_a_matrix_too_small_to_hide_anything(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from vaeimpute.cli import app

    monkeypatch.chdir(tmp_path)
    Path("in.csv").write_text("id,a,b\ns1,1,\ns2,,2\n")
    result = CliRunner().invoke(app, ["impute", "in.csv", "-o", "out.csv", "--report", "r.html"])
    assert result.exit_code == 0, result.output
    assert "too few values to hide" in Path("r.html").read_text(encoding="utf-8")
