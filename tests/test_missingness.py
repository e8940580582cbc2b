import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from vaeimpute.cohorts import Cohort, load_cohort
from vaeimpute.missingness import (
    BOTH,
    SCENARIOS,
    hide,
    mcar,
    mnar_high_gc,
    mnar_low_coverage,
    mnar_low_values,
    mnar_whole_genes,
    scenario_label,
    scenario_table,
    scenarios_for,
    trial_rng,
)
from vaeimpute.seeding import generator
from vaeimpute.splits import split_rows

ELEVEN = [(data, key) for data in ("expression", "methylation") for key in scenarios_for(data)]
all_eleven = pytest.mark.parametrize(("data_type", "key"), ELEVEN)
quick = settings(max_examples=15, deadline=None)


def make_cohort(
    data_type, seed=0, n_samples=30, n_features=40, missing=0.0, unknown_gc=0.2, mean_reads=8.0
):
    """Independent columns, some values missing, all the annotation that any scenario wants."""
    rng = np.random.default_rng(seed)
    shape = n_samples, n_features
    samples = pd.Index([f"s{i}" for i in range(n_samples)])
    features = pd.Index([f"f{i}" for i in range(n_features)])
    values = rng.normal(size=shape)
    values[rng.random(shape) < missing] = np.nan
    gc = rng.uniform(0.3, 0.7, n_features)
    gc[rng.random(n_features) < unknown_gc] = np.nan
    gc[0] = 0.5  # one is known at least
    return Cohort(
        "made-up",
        pd.DataFrame(values, samples, features),
        pd.DataFrame(index=samples),
        units="standard deviations",
        data_type=data_type,
        features=pd.DataFrame({"gc_content": gc}, features),
        coverage=pd.DataFrame(rng.poisson(mean_reads, shape), samples, features),
    )


@st.composite
def cases(draw, data_type):
    """A cohort, some of its rows (not sorted), and a seed."""
    n_samples = draw(st.integers(2, 40))
    cohort = make_cohort(
        data_type,
        seed=draw(st.integers(0, 2**32 - 1)),
        n_samples=n_samples,
        n_features=draw(st.integers(10, 80)),
        missing=draw(st.sampled_from([0.0, 0.05, 0.4])),
        unknown_gc=draw(st.sampled_from([0.0, 0.3])),
        mean_reads=draw(st.sampled_from([1.0, 6.0, 30.0])),
    )
    rows = draw(
        st.lists(st.integers(0, n_samples - 1), min_size=1, max_size=n_samples - 1, unique=True)
    )
    return cohort, np.array(rows), draw(st.integers(0, 2**32 - 1))


def both(test):
    """Run a property on random cases of the data type that the parametrisation names."""
    return quick(given(data=st.data())(test))


def eligible_values(key, cohort, rows):
    """Say independently of the package which values of the rows a scenario may take."""
    values = cohort.values.to_numpy()
    candidates = np.ones_like(values, dtype=bool)
    if key == "mnar_low_values":
        candidates = values < np.quantile(values[~np.isnan(values)], 0.1)
    elif key == "mnar_low_coverage":
        candidates = cohort.coverage.to_numpy() < 6
    elif key == "mnar_high_gc":
        gc = cohort.features["gc_content"].to_numpy()
        candidates = np.tile(gc >= np.quantile(gc[~np.isnan(gc)], 0.9), (len(values), 1))
    return (candidates & ~np.isnan(values))[rows]


def at_least_one(expected, eligible):
    """Say how many of eligible things are taken if rounding leaves none of them."""
    return expected if np.sum(expected) else min(1, eligible)


SHARE = {"mcar_05": 0.05, "mcar_10": 0.1, "mcar_30": 0.3, "mnar_high_gc": 0.5}
SHARE |= {"mnar_whole_genes": 0.05, "mnar_whole_sites": 0.05, "mnar_low_values": 0.5}
SHARE |= {"mnar_low_coverage": 1.0}


@all_eleven
@both
def test_only_observed_values_of_the_given_rows_are_masked(data_type, key, data):
    cohort, rows, seed = data.draw(cases(data_type))
    before = [t.copy() for t in (cohort.values, cohort.coverage, cohort.features)]
    mask = SCENARIOS[key].mask(cohort, rows, np.random.default_rng(seed))

    assert mask.dtype == bool
    assert mask.shape == (len(rows), cohort.values.shape[1])
    assert not (mask & ~eligible_values(key, cohort, rows)).any()
    for table, unchanged in zip(
        (cohort.values, cohort.coverage, cohort.features), before, strict=True
    ):
        pd.testing.assert_frame_equal(table, unchanged)


@all_eleven
@both
def test_training_rows_have_no_part_but_in_the_global_quantile(data_type, key, data):
    cohort, rows, seed = data.draw(cases(data_type))
    others = np.setdiff1d(np.arange(len(cohort.values)), rows)
    values, coverage = cohort.values.copy(), cohort.coverage.copy()
    # Swapping the training rows' values keeps the quantile and changes all else about them.
    values.iloc[others] = values.iloc[others].to_numpy()[::-1, ::-1]
    coverage.iloc[others] += 100
    changed = replace(cohort, values=values, coverage=coverage)
    first, second = (
        SCENARIOS[key].mask(c, rows, np.random.default_rng(seed)) for c in (cohort, changed)
    )
    np.testing.assert_array_equal(first, second)


@all_eleven
@both
def test_masked_fraction_is_the_expected_one(data_type, key, data):
    cohort, rows, seed = data.draw(cases(data_type))
    mask = SCENARIOS[key].mask(cohort, rows, np.random.default_rng(seed))
    eligible = eligible_values(key, cohort, rows)
    share = SHARE[key]
    expected = share * eligible.sum()
    if key.startswith("mnar_whole"):
        per_feature = eligible.sum(axis=0)
        per_feature = per_feature[per_feature > 0]
        n_drawn = share * len(per_feature)
        deviation = np.sqrt((n_drawn + 0.5) * per_feature.var()) if len(per_feature) else 0
        rounding = per_feature.max(initial=0)
    else:
        deviation = np.sqrt(share * (1 - share) * eligible.sum())
        rounding = max(0.5 * len(rows) if key.startswith("mcar") else 0.5, 1)

    assert abs(mask.sum() - expected) <= 5 * deviation + rounding
    assert SCENARIOS[key].expected_fraction(cohort, rows) == pytest.approx(expected / mask.size)


@all_eleven
def test_counts_are_exact_on_a_complete_matrix(data_type, key):
    cohort = make_cohort(data_type, n_samples=50, n_features=1000, unknown_gc=0)
    rows = np.arange(0, 50, 2)
    mask = SCENARIOS[key].mask(cohort, rows, np.random.default_rng(1))
    nominal = SCENARIOS[key].nominal_fraction
    if nominal is None:
        nominal = (cohort.coverage.to_numpy()[rows] < 6).mean()
    # The low values of these rows are not exactly a tenth, nor is the rank of the GC quantile.
    assert mask.mean() == pytest.approx(nominal, rel=0.03 if key == "mnar_low_values" else 1e-3)
    assert SCENARIOS[key].expected_fraction(cohort, rows) == pytest.approx(mask.mean(), abs=1e-4)


@all_eleven
def test_every_eligible_value_is_as_likely_as_any_other(data_type, key):
    cohort = make_cohort(data_type, n_samples=6, n_features=40, mean_reads=6.0)
    rows = np.array([1, 3, 4, 5])
    n_trials = 800
    hits = sum(
        SCENARIOS[key].mask(cohort, rows, trial_rng(0, key, t)).astype(int) for t in range(n_trials)
    )
    eligible = eligible_values(key, cohort, rows)
    share = SCENARIOS[key].mask(cohort, rows, trial_rng(0, key, 0)).sum() / eligible.sum()
    deviation = np.sqrt(n_trials * share * (1 - share))
    assert abs(hits[eligible] - n_trials * share).max() <= 5 * deviation
    assert not hits[~eligible].any()


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.3])
@quick
@given(case=cases("expression"))
def test_mcar_takes_the_same_share_of_every_row(fraction, case):
    cohort, rows, seed = case
    mask = mcar(fraction).mask(cohort, rows, np.random.default_rng(seed))
    n_observed = cohort.values.iloc[rows].notna().sum(axis=1)
    expected = np.rint(fraction * n_observed)
    assert mask.sum() == at_least_one(expected.sum(), n_observed.sum())
    assert not expected.sum() or (mask.sum(axis=1) == expected).all()


@pytest.mark.parametrize(("data_type", "key"), [e for e in ELEVEN if "whole" in e[1]])
@both
def test_whole_features_lose_all_or_nothing(data_type, key, data):
    cohort, rows, seed = data.draw(cases(data_type))
    mask = SCENARIOS[key].mask(cohort, rows, np.random.default_rng(seed))
    observed = cohort.values.iloc[rows].notna().to_numpy()
    lost = mask.any(axis=0)
    np.testing.assert_array_equal(mask[:, lost], observed[:, lost])
    n_features = observed.any(axis=0).sum()
    assert lost.sum() == at_least_one(np.rint(0.05 * n_features), n_features)


@pytest.mark.parametrize("quantile", [0.05, 0.1, 0.2, 0.3])
@quick
@given(case=cases("expression"), decimals=st.sampled_from([1, 12]))
def test_low_values_masks_nothing_at_or_above_its_threshold(quantile, case, decimals):
    cohort, rows, seed = case
    cohort = replace(cohort, values=cohort.values.round(decimals))  # 1: many ties
    values = cohort.values.to_numpy()
    threshold = np.nanquantile(values, quantile)
    if not (values < threshold).any():  # ties only
        return
    mask = mnar_low_values(quantile).mask(cohort, rows, np.random.default_rng(seed))
    low = values[rows] < threshold
    assert not (mask & ~low).any()
    assert mask.sum() == at_least_one(np.rint(0.5 * low.sum()), low.sum())


@quick
@given(case=cases("expression"))
def test_high_gc_touches_only_the_top_decile_of_known_genes(case):
    cohort, rows, seed = case
    mask = SCENARIOS["mnar_high_gc"].mask(cohort, rows, np.random.default_rng(seed))
    gc = cohort.features["gc_content"].to_numpy()
    touched = mask.any(axis=0)
    assert not np.isnan(gc[touched]).any()
    for value in gc[touched]:
        assert np.mean(gc[~np.isnan(gc)] > value) <= 0.1


@pytest.mark.parametrize("threshold", [1, 6, 10])
@quick
@given(case=cases("methylation"))
def test_low_coverage_masks_exactly_the_values_under_the_threshold(threshold, case):
    cohort, rows, seed = case
    mask = mnar_low_coverage(threshold).mask(cohort, rows, np.random.default_rng(seed))
    observed = cohort.values.iloc[rows].notna().to_numpy()
    np.testing.assert_array_equal(
        mask, (cohort.coverage.iloc[rows].to_numpy() < threshold) & observed
    )


def test_low_coverage_takes_half_as_table_1_words_it():
    cohort = make_cohort("methylation", n_samples=60, n_features=60)
    rows = np.arange(20)
    low = cohort.coverage.iloc[rows].to_numpy() < 6
    mask = mnar_low_coverage(fraction=0.5).mask(cohort, rows, np.random.default_rng(0))
    assert mask.sum() == np.rint(low.sum() / 2)
    assert not (mask & ~low).any()


@all_eleven
@both
def test_same_seed_same_mask(data_type, key, data):
    cohort, rows, seed = data.draw(cases(data_type))
    first, second = (
        SCENARIOS[key].mask(cohort, rows, np.random.default_rng(seed)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


@all_eleven
def test_masks_are_the_same_on_any_number_of_threads(data_type, key):
    cohort = make_cohort(data_type, n_samples=40, n_features=500, missing=0.05)
    rows = np.arange(5, 25)

    def draw(trial):
        return SCENARIOS[key].mask(cohort, rows, trial_rng(3, key, trial))

    alone = [draw(trial) for trial in range(10)]
    for n_threads in (2, 8):
        with threadpool_limits(n_threads), ThreadPoolExecutor(n_threads) as pool:
            together = list(pool.map(draw, range(10)))
        for mask, same in zip(alone, together, strict=True):
            np.testing.assert_array_equal(mask, same)


def digest_of_all_masks():
    """Reduce one mask of each scenario to a few characters; a subprocess calls it too."""
    digest = hashlib.sha256()
    for data_type, key in ELEVEN:
        cohort = make_cohort(data_type, n_samples=20, n_features=300)
        digest.update(SCENARIOS[key].mask(cohort, np.arange(9), trial_rng(0, key, 7)).tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("n_threads", ["1", "4"])
def test_masks_are_the_same_in_processes_with_other_threads(n_threads):
    code = (
        f"import importlib.util as u; s = u.spec_from_file_location('t', {__file__!r}); "
        "m = u.module_from_spec(s); s.loader.exec_module(m); print(m.digest_of_all_masks())"
    )
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), n_threads)
    paths = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": n_threads}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | threads | paths,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == digest_of_all_masks()


@all_eleven
def test_trial_7_alone_is_trial_7_of_ten_and_differs_from_the_others(data_type, key):
    cohort = make_cohort(data_type, n_samples=20, n_features=200)
    rows = np.arange(8)
    ten = [SCENARIOS[key].mask(cohort, rows, trial_rng(5, key, trial)) for trial in range(10)]
    alone = SCENARIOS[key].mask(cohort, rows, trial_rng(5, key, 7))
    np.testing.assert_array_equal(alone, ten[7])
    if key != "mnar_low_coverage":  # which leaves nothing to chance
        assert len({mask.tobytes() for mask in ten}) == 10


@pytest.mark.parametrize("drawn", ["among all", "within rows", "by feature"])
@quick
@given(
    shape=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    fraction=st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0]),
    missing=st.sampled_from([0.0, 0.5, 0.9, 1.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_hide_takes_one_value_at_least_and_leaves_each_feature_one(
    drawn, shape, fraction, missing, seed
):
    rng = np.random.default_rng(seed)
    observed = rng.random(shape) >= missing
    eligible = observed & (rng.random(shape) < 0.7)
    mask = hide(eligible, fraction, rng, drawn)
    assert not (mask & ~eligible).any()
    assert mask.any() == (fraction > 0 and eligible.any())
    kept = hide(eligible, fraction, rng, drawn, observed=observed)
    assert not (kept & ~eligible).any()
    np.testing.assert_array_equal((observed & ~kept).any(axis=0), observed.any(axis=0))
    assert kept.any() == (fraction > 0 and (eligible & (observed.sum(axis=0) > 1)).any())


def test_trials_differ_between_seeds_and_scenarios_and_follow_the_named_stream():
    draws = {trial_rng(seed, key, 0).random() for seed in (0, 1) for key in ("mcar_05", "mcar_10")}
    assert len(draws) == 4
    assert trial_rng(2, "mcar_05", 3).random() == (generator(2, "mask", "mcar_05", 3).random())


@all_eleven
@both
def test_own_mask_is_added_to_the_scenario_and_changes_nothing_else(data_type, key, data):
    cohort, rows, seed = data.draw(cases(data_type))
    rng = np.random.default_rng(seed)
    own = pd.DataFrame(
        rng.random(cohort.values.shape) < 0.1, cohort.values.index, cohort.values.columns
    )
    united = SCENARIOS[key].united_with(own.iloc[::-1, ::-1])  # ids decide, not the order
    plain = SCENARIOS[key].mask(cohort, rows, np.random.default_rng(seed))
    mask = united.mask(cohort, rows, np.random.default_rng(seed))
    observed = cohort.values.iloc[rows].notna().to_numpy()
    np.testing.assert_array_equal(mask, plain | (own.to_numpy()[rows] & observed))

    eligible = eligible_values(key, cohort, rows)
    certain = own.to_numpy()[rows] & observed
    chance = np.where(certain, 1.0, SHARE[key] * eligible)
    assert united.expected_fraction(cohort, rows) == pytest.approx(chance.mean())


def test_own_mask_alone_and_united_twice():
    cohort = make_cohort("expression", missing=0.2)
    rows = np.array([3, 1])
    first, second = (cohort.values > 1, cohort.values < -1)
    mask = (
        mcar(0).united_with(first).united_with(second).mask(cohort, rows, np.random.default_rng(0))
    )
    np.testing.assert_array_equal(mask, (cohort.values.abs() > 1).to_numpy()[rows])


def test_own_mask_that_does_not_fit_is_refused_by_name():
    cohort = make_cohort("expression")
    with pytest.raises(ValueError, match=r"lacks 1 samples of cohort 'made-up', among them 's2'"):
        mcar(0).united_with(cohort.values.isna().drop(index="s2")).mask(
            cohort, np.array([1, 2]), np.random.default_rng(0)
        )
    for wrong in (cohort.values, cohort.values.isna().to_numpy()):
        with pytest.raises(ValueError, match=r"DataFrame of booleans .* pass matrix.isna\(\)"):
            mcar(0).united_with(wrong)
    with pytest.raises(ValueError, match="each once"):
        mcar(0).united_with(pd.concat([cohort.values.isna()] * 2))


def test_scenario_table_is_the_papers_table_1():
    table = scenario_table()
    assert len(table) == 11
    assert list(table.loc["expression"].index) == [
        *("mcar_05", "mcar_10", "mcar_30"),
        *("mnar_high_gc", "mnar_whole_genes", "mnar_low_values"),
    ]
    assert list(table.loc["methylation"].index) == [
        *("mcar_05", "mcar_10", "mcar_30", "mnar_whole_sites", "mnar_low_coverage"),
    ]
    assert table["masked"].str.len().gt(10).all()
    assert table["expected_fraction"].isna().sum() == 1


@pytest.mark.parametrize(
    ("scenario", "key", "words"),
    [
        (mcar(0.125), "mcar_12.5", "12.5 % of the values of each row"),
        (mnar_high_gc(top=0.2), "mnar_high_gc_20", "half of the values.* top 20 %"),
        (mnar_whole_genes(0.1), "mnar_whole_genes_10", "random 10 % of the genes"),
        (mnar_low_values(fraction=0.25), "mnar_low_values_25_lost", "25 %, at random.* 10 %"),
        (mnar_low_coverage(4, 0.5), "mnar_low_coverage_4_50_lost", "half, .* below 4"),
    ],
)
def test_other_parameters_give_other_keys_and_descriptions(scenario, key, words):
    assert scenario.key == key
    assert pd.Series([scenario.description]).str.contains(words).all()
    assert key not in SCENARIOS


@pytest.mark.parametrize(
    ("scenario", "label"),
    [
        (mcar(0.125), "12.5 % at random"),
        (mnar_high_gc(), "high GC content"),
        (mnar_high_gc(top=0.2, fraction=0.25), "high GC content, top 20 %, 25 % lost"),
        (mnar_whole_genes(0.1), "whole genes, 10 %"),
        (mnar_low_values(0.05), "low values, lowest 5 %"),
        (mnar_low_values(fraction=0.25), "low values, 25 % lost"),
        (mnar_low_coverage(fraction=0.5), "low coverage, 50 % lost"),
        (mnar_low_coverage(4), "below 4 reads"),
    ],
)
def test_every_scenario_has_a_label(scenario, label):
    assert scenario.label == scenario_label(scenario.key) == label


def test_labels_of_the_paper_differ_and_other_keys_stay():
    by_type = [[scenario_label(key) for key in scenarios_for(kind)] for kind in BOTH]
    assert all(len(set(labels)) == len(labels) for labels in by_type)
    assert [scenario_label(key) for key in ("own", "mcar_", "beta 1")] == ["own", "mcar_", "beta 1"]


@pytest.mark.parametrize("make", [mcar, mnar_whole_genes, mnar_low_values, mnar_high_gc])
def test_shares_outside_0_and_1_are_refused(make):
    with pytest.raises(ValueError, match=r"between 0 and 1 but got 10"):
        make(10)


def test_cohorts_that_lack_what_a_scenario_needs_are_told_what_to_do():
    rows, rng = np.arange(3), np.random.default_rng(0)
    expression, methylation = make_cohort("expression"), make_cohort("methylation")
    features = expression.features

    with pytest.raises(ValueError, match="applies to expression, not to methylation"):
        SCENARIOS["mnar_high_gc"].mask(methylation, rows, rng)
    with pytest.raises(ValueError, match="add a column 'gc_content'"):
        SCENARIOS["mnar_high_gc"].mask(replace(expression, features=features[[]]), rows, rng)
    with pytest.raises(ValueError, match=r"divide percentages by 100"):
        SCENARIOS["mnar_high_gc"].mask(replace(expression, features=features * 100), rows, rng)
    with pytest.raises(ValueError, match=r"ids like 'f0'"):
        SCENARIOS["mnar_high_gc"].mask(replace(expression, features=features * np.nan), rows, rng)
    with pytest.raises(ValueError, match="has no read coverage"):
        SCENARIOS["mnar_low_coverage"].mask(replace(methylation, coverage=None), rows, rng)
    zeros = replace(expression, values=expression.values.clip(lower=0))
    with pytest.raises(ValueError, match=r"no value below its 10 % quantile, 0,.*standardize"):
        SCENARIOS["mnar_low_values"].mask(zeros, rows, rng)
    with pytest.raises(ValueError, match=r"np.flatnonzero\(rows\)"):
        SCENARIOS["mcar_05"].mask(expression, np.ones(30, dtype=bool), rng)
    with pytest.raises(ValueError, match="at least one position"):
        SCENARIOS["mcar_05"].mask(expression, np.array([], dtype=int), rng)


@pytest.mark.parametrize(
    ("name", "package"),
    [("breast-gse1992", "SurvSet"), ("brain-gse74193", "EpigeneticPacemaker")],
)
def test_real_cohorts_lose_what_table_1_says(name, package):
    pytest.importorskip(package, reason=f"{name} comes with {package}")
    cohort = load_cohort(name)
    split = split_rows(len(cohort.values), strata=cohort.strata, seed=0)
    cohort = cohort.standardize(split.train)
    values, rng = cohort.values, np.random.default_rng(0)
    reads = pd.DataFrame(rng.poisson(8, values.shape), values.index, values.columns)
    gc = pd.DataFrame({"gc_content": rng.uniform(0.3, 0.7, values.shape[1])}, values.columns)
    cohort = replace(cohort, coverage=reads, features=gc)  # neither comes with an array
    for key in scenarios_for(cohort.data_type):
        mask = SCENARIOS[key].mask(cohort, split.test, trial_rng(0, key, 0))
        assert not (mask & values.iloc[split.test].isna().to_numpy()).any()
        expected = SCENARIOS[key].expected_fraction(cohort, split.test)
        assert mask.mean() == pytest.approx(expected, abs=1e-4)
        # Test rows differ a little from the whole in how many of their values are low.
        tolerance = 0.25 if key == "mnar_low_values" else 0.02
        nominal = SCENARIOS[key].nominal_fraction or (reads.iloc[split.test] < 6).mean(axis=None)
        assert mask.mean() == pytest.approx(nominal, rel=tolerance)


def test_tied_gc_content_does_not_mask_more_than_was_asked_for():
    values = pd.DataFrame(np.random.default_rng(0).normal(size=(4, 200))).add_prefix("g")
    values.index = [f"s{i}" for i in range(4)]
    cohort = Cohort(
        name="tied",
        values=values,
        clinical=pd.DataFrame(index=values.index),
        units="log2 ratio",
        data_type="expression",
        features=pd.DataFrame({"gc_content": [0.4] * 100 + [0.6] * 100}, values.columns),
    )
    mask = mnar_high_gc().mask(cohort, np.arange(4), np.random.default_rng(0))
    assert mask.sum() == 4 * 20 / 2
    assert mask.any(axis=0).nonzero()[0].min() >= 100
