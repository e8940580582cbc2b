import numpy as np
import pytest

from vaeimpute.imputers import MeanImputer, SVDImputer


def holes_in(X, rng, share=0.2):
    return np.where(rng.random(X.shape) < share, np.nan, X)


def low_rank(seed, n, d, rank=3, noise=0.0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d)) + noise * rng.normal(size=(n, d))


@pytest.mark.parametrize("shape", [(60, 150), (150, 40)])
@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
def test_restores_a_matrix_of_exactly_low_rank(shape, joint, standardize):
    X = low_rank(2, *shape)
    train, true = X[:-10], X[-10:]
    train -= train.mean(axis=0)
    new = holes_in(true, np.random.default_rng(3))
    imputer = SVDImputer(
        n_components=3, joint=joint, standardize=standardize, max_iter=300, tol=1e-20
    )
    np.testing.assert_allclose(imputer.fit(train).transform(new), true, rtol=0, atol=1e-6)


def test_the_full_rank_at_once_gives_the_mean_and_by_doubling_does_not():
    X = low_rank(4, 60, 100, noise=0.1)
    train, new = X[:50], holes_in(X[50:], np.random.default_rng(4))
    gaps = np.isnan(new)
    fixed, doubling = (
        SVDImputer(schedule=schedule).fit(train).transform(new)
        for schedule in ("fixed", "doubling")
    )
    mean = MeanImputer().fit(train).transform(new)
    np.testing.assert_allclose(fixed, mean, atol=1e-12)
    error = np.abs(doubling - X[50:])[gaps].mean()
    assert error < 0.3 * np.abs(mean - X[50:])[gaps].mean()


def test_the_rows_to_impute_matter_to_each_other_only_if_joint():
    X = low_rank(6, 60, 50, rank=8, noise=0.5)
    train, new = X[:30], holes_in(X[30:], np.random.default_rng(6))
    for joint in (True, False):
        imputer = SVDImputer(n_components=8, joint=joint).fit(train)
        difference = np.abs(imputer.transform(new)[:5] - imputer.transform(new[:5])).max()
        assert (difference > 1e-3) if joint else (difference < 1e-10)


@pytest.mark.parametrize("shape", [(30, 80), (80, 30)])
@pytest.mark.parametrize("n_components", [4, 415])
@pytest.mark.parametrize("schedule", ["doubling", "fixed"])
def test_alone_a_row_is_approximated_by_the_training_rows_singular_vectors(
    shape, n_components, schedule
):
    train = low_rank(14, *shape, rank=6, noise=0.5)
    new = holes_in(low_rank(15, 9, shape[1]), np.random.default_rng(15), 0.4)
    mean = train.mean(axis=0)
    _, s, vt = np.linalg.svd(train - mean, full_matrices=False)
    vt = vt[s > 1e-6 * s[0]]
    filled = np.where(np.isnan(new), 0.0, new - mean)
    stopped = []
    for row, gaps in zip(filled, np.isnan(new), strict=True):
        for i in range(16):
            rank = min(2**i, n_components) if schedule == "doubling" else n_components
            values = (vt[:rank].T @ (vt[:rank] @ row))[gaps]
            converged = np.sum((values - row[gaps]) ** 2) < 5e-4 * np.sum(row[gaps] ** 2)
            row[gaps] = values
            if converged:
                break
        stopped.append(i)
    if n_components == 4:
        assert len(set(stopped)) > 1  # rows stop by themselves
    imputer = SVDImputer(
        n_components=n_components, schedule=schedule, joint=False, standardize=False
    ).fit(train)
    np.testing.assert_allclose(imputer.transform(new), filled + mean, rtol=0, atol=1e-8)


@pytest.mark.parametrize("shape", [(30, 80), (80, 30)])
def test_components_are_orthonormal_and_none_stands_for_rounding_errors(shape):
    imputer = SVDImputer(joint=False).fit(low_rank(16, *shape, rank=5))
    assert imputer.n_components_ == 5
    product = imputer.components_ @ imputer.components_.T
    np.testing.assert_allclose(product, np.eye(5), atol=1e-10)


def test_auto_takes_the_full_rank_where_every_component_counts():
    rng = np.random.default_rng(17)
    u, v = (np.linalg.qr(rng.normal(size=(n, 120)))[0] for n in (120, 2000))
    X = (u * np.arange(1, 121) ** -0.5) @ v.T
    imputer = SVDImputer(n_components="auto", joint=False, random_state=0).fit(X)
    assert imputer.n_components_ == 119  # the rows are centred
    assert SVDImputer(n_components="auto", random_state=0).fit(X).n_components_ == 2000


@pytest.mark.parametrize("joint", [True, False])
def test_auto_takes_a_higher_rank_where_there_is_more_to_see(joint):
    ranks = [
        SVDImputer(n_components="auto", joint=joint, random_state=0)
        .fit(low_rank(8, 120, 200, rank=rank, noise=1.0))
        .n_components_
        for rank in (1, 16)
    ]
    assert ranks[0] <= 4
    assert 8 <= ranks[1] <= 60


def test_auto_is_as_good_as_the_best_rank():
    X = low_rank(9, 150, 200, rank=6, noise=0.7)
    train, true = X[:120], X[120:]
    new = holes_in(true, np.random.default_rng(9))
    gaps = np.isnan(new)

    def error(n_components, joint):
        imputer = SVDImputer(n_components=n_components, joint=joint, random_state=0)
        return np.abs(imputer.fit(train).transform(new) - true)[gaps].mean()

    for joint in (True, False):
        best = min(error(rank, joint) for rank in (1, 2, 4, 8, 16, 32, 64, 200))
        assert error("auto", joint) < 1.02 * best


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_auto_fills_training_rows_as_well_as_a_decomposition_of_them_all(share):
    """They need a lower rank than other rows, which have no part in the singular vectors."""
    rng = np.random.default_rng(11)
    strengths = np.geomspace(1.0, 0.1, 60)
    true = (rng.normal(size=(120, 60)) * strengths) @ rng.normal(size=(60, 400))
    true += 1.5 * rng.normal(size=true.shape)
    X = holes_in(true, rng, share)
    gaps = np.isnan(X)
    alone, joint, mean = (
        np.abs(imputer.fit_transform(X) - true)[gaps].mean()
        for imputer in (
            SVDImputer(n_components="auto", joint=False, random_state=0),
            SVDImputer(n_components="auto", random_state=0),
            MeanImputer(),
        )
    )
    assert joint < mean
    assert alone < 1.03 * joint


@pytest.mark.parametrize("n_samples", [2, 4, 5, 9])
def test_auto_works_with_hardly_any_rows(n_samples):
    X = np.random.default_rng(0).normal(size=(n_samples, 6))
    X[0, 0] = np.nan
    for joint in (True, False):
        imputer = SVDImputer(n_components="auto", joint=joint, random_state=0)
        assert np.isfinite(imputer.fit_transform(X)).all()


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("n_components", [1, 3, 415, "auto"])
@pytest.mark.parametrize("shape", [(30, 12), (12, 30)])
def test_awkward_matrices(joint, n_components, shape):
    rng = np.random.default_rng(10)
    train = low_rank(10, *shape, noise=0.1)
    train[:, 0] = 5.0  # constant
    train[:, 1] = np.nan
    train[3, 1] = 7.0  # observed once
    train[5:8] = train[4]  # twins
    train[2, 4:] = np.nan
    train[9] = np.nan
    new = low_rank(11, 6, shape[1])
    new = holes_in(new, rng, 0.5)
    new[:, 0] = np.nan
    new[2] = np.nan
    new[3] = np.nan
    new[3, 5] = 1.0
    new[4, 3:] = 1e6
    imputer = SVDImputer(n_components=n_components, joint=joint, random_state=0).fit(train)
    filled = imputer.transform(new)
    assert np.isfinite(filled).all()
    np.testing.assert_allclose(filled[2], np.nanmean(train, axis=0))  # nothing to go by
    np.testing.assert_allclose(filled[:, 0][np.isnan(new[:, 0])], 5.0)
    assert np.isfinite(imputer.fit_transform(train)).all()


def test_a_matrix_of_constants_comes_back():
    X = np.full((8, 5), 3.0)
    X[2, 2] = np.nan
    for joint in (True, False):
        filled = SVDImputer(n_components=2, joint=joint).fit_transform(X)
        np.testing.assert_array_equal(filled, np.full((8, 5), 3.0))


@pytest.mark.parametrize("joint", [True, False])
def test_large_offsets_and_uneven_units_do_not_matter(joint):
    X = low_rank(12, 60, 40, noise=0.2)
    new = holes_in(X[45:], np.random.default_rng(12))
    units = np.geomspace(0.1, 1e3, 40)
    imputer = SVDImputer(n_components=3, joint=joint)
    plain = imputer.fit(X[:45]).transform(new)
    moved = imputer.fit(X[:45] * units + 1e8).transform(new * units + 1e8)
    np.testing.assert_allclose((moved - 1e8) / units, plain, rtol=0, atol=1e-5)


@pytest.mark.parametrize("joint", [True, False])
def test_training_rows_and_rows_to_impute_are_not_written_to(joint):
    X = holes_in(low_rank(13, 30, 20), np.random.default_rng(13))
    train, new = X[:20], X[20:]
    before = X.copy()
    imputer = SVDImputer(n_components=3, joint=joint, standardize=False).fit(train)
    first = imputer.transform(new)
    np.testing.assert_array_equal(imputer.transform(new), first)
    np.testing.assert_array_equal(X, before)
