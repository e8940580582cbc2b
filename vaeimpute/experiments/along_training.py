"""A network as it was at several epochs of one training."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy, deepcopy

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone

from vaeimpute.imputers._neural import NeuralImputer


class AlongTraining(MetaEstimatorMixin, BaseEstimator):
    """An imputer that is trained once, and kept as it was after several of its epochs.

    Parameters
    ----------
    imputer : VAEImputer or AutoencoderImputer
        Its training has no schedule that depends on its length, so what it is after 20 of 80
        epochs is what a training of 20 epochs ends with.
    epochs : sequence of int
        When to keep it, besides the last epoch.

    Attributes
    ----------
    stages_ : dict of int to imputer
        Fitted imputers by epoch; the last one is what `transform` imputes with.

    Examples
    --------
    >>> from vaeimpute.imputers import VAEImputer
    >>> X = np.random.default_rng(0).normal(size=(20, 5))
    >>> vae = VAEImputer(hidden_sizes=(4,), latent_dim=2, n_epochs=8, random_state=0)
    >>> list(AlongTraining(vae, epochs=(2, 4)).fit(X).stages_)
    [2, 4, 8]
    """

    def __init__(self, imputer: NeuralImputer, epochs: Sequence[int]) -> None:
        self.imputer = imputer
        self.epochs = epochs

    def fit(self, X: np.ndarray, y: None = None) -> AlongTraining:
        """Train, and keep what there is after these epochs."""
        from vaeimpute.models import Snapshots

        snapshots = Snapshots((*self.epochs, self.imputer.n_epochs))
        trained = clone(self.imputer)
        trained._callbacks = (snapshots,)
        trained.fit(X)
        self.stages_ = {epoch: copy(trained) for epoch in snapshots.weights}
        for epoch, stage in self.stages_.items():
            stage.model_ = deepcopy(trained.model_)
            stage.model_.load_state_dict(snapshots.weights[epoch])
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Impute as the last stage does."""
        return self._last.transform(X)

    def predict_std(self, X: np.ndarray) -> np.ndarray:
        """Return the predictive standard deviations of the last stage."""
        return self._last.predict_std(X)

    @property
    def _last(self) -> NeuralImputer:
        return self.stages_[max(self.stages_)]


def halved_epochs(n_epochs: int, n_stages: int = 6) -> list[int]:
    """Return numbers of epochs, each half of the next.

    Examples
    --------
    >>> halved_epochs(160)
    [5, 10, 20, 40, 80, 160]
    """
    return sorted({max(1, n_epochs >> k) for k in range(n_stages)})
