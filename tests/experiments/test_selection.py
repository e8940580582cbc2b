"""Settings are compared on validation rows, and nothing else is looked at."""

import numpy as np

from vaeimpute.experiments import run_experiment
from vaeimpute.experiments.vae_variants import paper_architectures
from vaeimpute.imputers import MeanImputer
from vaeimpute.splits import split_rows


class Recorder(MeanImputer):
    """Keeps what the last one was given."""

    seen: list = []  # noqa: RUF012

    def fit(self, X, y=None):
        self.seen.append(("fit", X.copy()))
        return super().fit(X)

    def transform(self, X):
        self.seen.append(("transform", X.copy()))
        return super().transform(X)


def test_test_rows_are_not_looked_at(cohort):
    Recorder.seen.clear()
    split = split_rows(len(cohort.values), seed=3)
    run_experiment(
        cohort, {"only": Recorder()}, ["mcar_10"], n_trials=2, seed=3, split=split.for_tuning()
    )
    values = cohort.values.to_numpy()
    tune, validation = values[split.tune], values[split.validation]
    mean, sd = tune.mean(axis=0), tune.std(axis=0)
    (_, fitted), *imputed = Recorder.seen
    np.testing.assert_allclose(fitted, (tune - mean) / sd, atol=1e-10)
    assert len(imputed) == 2
    for _, X in imputed:
        known = ~np.isnan(X)
        assert (~known).sum() == len(validation) * round(0.1 * X.shape[1])
        np.testing.assert_allclose(X[known], ((validation - mean) / sd)[known], atol=1e-10)


def test_the_papers_own_examples_of_architectures():
    networks = paper_architectures(17176)
    assert networks["5 layers, latent 50"] == {"hidden_sizes": (3000, 500), "latent_dim": 50}
    assert networks["5 layers, latent 200"] == {"hidden_sizes": (6000, 2000), "latent_dim": 200}
    assert networks["3 layers, latent 200"] == {"hidden_sizes": (2000,), "latent_dim": 200}


def test_outer_layers_are_never_narrower_than_inner_ones():
    for network in paper_architectures(30, latent_dims=(2, 50)).values():
        assert list(network["hidden_sizes"]) == sorted(network["hidden_sizes"], reverse=True)
