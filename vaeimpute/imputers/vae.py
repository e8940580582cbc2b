"""Iterative imputation with a variational autoencoder, as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils._param_validation import StrOptions

from vaeimpute.imputers._base import COUNT, Number, check_arguments
from vaeimpute.imputers._neural import NOT_NEGATIVE, SHARE, NeuralImputer
from vaeimpute.imputers._pooling import predictive_variance
from vaeimpute.missingness import hide
from vaeimpute.seeding import generator

if TYPE_CHECKING:
    import torch

    from vaeimpute.models import Settled, VariationalAutoencoder

_PRIOR_VALUES = 5  # weight of a feature's variance against what a model says of so many values
_LOW = 0.1  # the paper chooses the shift where half of the lowest 10 % are missing
#: Shifts to try, in standard deviations.
SHIFTS = np.round(np.arange(0, 4.05, 0.1), 1)


class VAEImputer(NeuralImputer):
    """Fill missing values by encoding and decoding each row a few times.

    Missing entries start from a guess. Then each iteration encodes the row, decodes the mean of
    the latent distribution, and replaces the missing entries by what was decoded; observed entries
    stay. The defaults are the paper's network and training: for 17 000 genes that is 300 million
    weights, which want a GPU or patience. `vaeimpute.methods.build_own` builds one that a laptop
    trains in seconds.

    Parameters
    ----------
    hidden_sizes : tuple of int
        Widths of the encoder's hidden layers, from the input inwards; the decoder mirrors them.
    latent_dim : int
    beta : float
        Weight of the divergence term; 1 is the VAE, other values the beta-VAE.
    scale : {"per feature", "paper", "shared", "fixed"}
        Where the standard deviations of the likelihood come from; see
        `vaeimpute.models.VariationalAutoencoder`.
    shift : float, "auto" or None
        Correct for low values being the ones that are missing: impute ``mu - shift * sigma``, where
        mu and sigma are those of the decoder. "auto" chooses the value at fit, as the paper does:
        a model of its own is trained on four fifths of the rows, drawn at random; half of the
        values below the 10 % quantile are hidden from the others; and the value that restores them
        best is taken. To choose it on rows of your own, see `shift_curve`. Use a shift only if you
        know that low values are missing: elsewhere it does harm.
    train_shift : bool
        Let the model learn with the shift, which has to be a number then, as the paper describes
        it, instead of applying it to an ordinary model; it comes to nearly the same.
    masking_noise : float
        Share of the inputs that are set to the mean while training, as in a denoising autoencoder;
        the others are enlarged by as much as makes up for it.
    n_epochs, batch_size : int
    drop_last : bool
        Take full batches only, each drawn from all rows anew, as the authors' code does; see
        `vaeimpute.models.train`. Fewer rows than `batch_size` are refused: they fill none.
    learning_rate : float
    precision : {"auto", "float32", "bfloat16"}
        Of the matrix products while training; weights are kept and imputations made in float32.
        "auto" takes bfloat16, which is two to three times as fast, for networks of more than 50
        million weights where the hardware multiplies it.
    validation_fraction : float
        Share of the training rows that the model does not learn from. A tenth of their values is
        hidden, and the error of imputing these is measured after every epoch.
    patience : int, optional
        Stop after so many epochs in which that error has not become smaller.
    restore_best : bool
        At the end, take the weights of the epoch in which that error was smallest.
    checkpoint : str or path, optional
        File to which the state of training is written every ten minutes. If training is killed,
        the same call goes on from there, and ends with the weights that it would have had. Every
        imputer needs a file of its own, and `random_state` as an integer.
    n_iterations : int
        Iterations of encoding and decoding per imputation. Rows that run away instead of
        settling, as happens where most values are missing, are stopped, with a `DivergenceWarning`;
        how is told at `vaeimpute.models.settle`. If training rows run away, a second model, which
        does not see a tenth of the values, says how far such rows go from the mean.
    init : {"random", "mean"}
        What missing entries start from: draws from a standard normal (the paper's text) or the
        training mean (the authors' code), in standard deviations of the training rows. From random
        draws, what a row gets depends a little on its position among the rows.
    sample_posterior : bool
        In every iteration, decode a draw of the latent distribution (the authors' code) instead of
        its mean (the text).
    device : str
        ``"auto"`` takes a GPU if torch finds one, else the CPU. Otherwise a torch device.
    n_devices : int
        Share every batch among so many GPUs, or processes on the CPU, of this machine. Needs the
        extra ``vaeimpute[devices]``.
    progress : bool
        Show a bar while training.
    random_state : int, Generator or None
        Decides the initial weights, the order of the rows, the noise and the initial guess. The
        same integer gives the same result on the same machine.
    missing_values, add_indicator, keep_empty_features, min_value, max_value
        As in scikit-learn's imputers; see `BaseImputer`.

    Attributes
    ----------
    model_ : VariationalAutoencoder
    shift_ : float
        The shift that is applied; 0 without one.
    shift_curve_ : DataFrame
        Of ``shift="auto"``: ``shift`` and ``mae``, in standard deviations.
    history_ : DataFrame
        Loss terms per epoch, and the validation error if there are validation rows.

    References
    ----------
    Qiu, Zheng, Gevaert 2020, sections "Variational autoencoder", "Variational autoencoder
    imputation with shift correction" and "Model parameters and hyper-parameters tuning".

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 20))
    >>> imputer = VAEImputer(hidden_sizes=(32,), latent_dim=4, learning_rate=1e-3, random_state=0)
    >>> X[0, 3] = np.nan
    >>> bool(np.isfinite(imputer.fit_transform(X)).all())
    True
    """

    model_: VariationalAutoencoder
    _learnt = NeuralImputer._learnt | {"shift_": "", "_prior_variance": "d", "_model_weight": "d"}
    _tables = (*NeuralImputer._tables, "shift_curve_")
    _parameter_constraints = NeuralImputer._parameter_constraints | {
        "beta": [NOT_NEGATIVE],
        "masking_noise": [SHARE],
        "scale": [StrOptions({"per feature", "paper", "shared", "fixed"})],
        "drop_last": ["boolean"],
        "sample_posterior": ["boolean"],
        "shift": [Number(Real, None, None, closed="neither"), StrOptions({"auto"}), None],
    }

    def __init__(
        self,
        *,
        hidden_sizes=(6000, 2000),
        latent_dim=200,
        beta=1.0,
        scale="per feature",
        shift=None,
        train_shift=False,
        masking_noise=0.0,
        n_epochs=250,
        batch_size=250,
        drop_last=False,
        learning_rate=5e-5,
        precision="auto",
        validation_fraction=0.0,
        patience=None,
        restore_best=False,
        checkpoint=None,
        n_iterations=3,
        init="random",
        sample_posterior=False,
        device="auto",
        n_devices=1,
        progress=False,
        random_state=None,
        missing_values=np.nan,
        add_indicator=False,
        keep_empty_features=False,
        min_value=-np.inf,
        max_value=np.inf,
    ):
        super().__init__(
            missing_values=missing_values,
            add_indicator=add_indicator,
            keep_empty_features=keep_empty_features,
            min_value=min_value,
            max_value=max_value,
        )
        self.hidden_sizes = hidden_sizes
        self.latent_dim = latent_dim
        self.beta = beta
        self.scale = scale
        self.shift = shift
        self.train_shift = train_shift
        self.masking_noise = masking_noise
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.learning_rate = learning_rate
        self.precision = precision
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.restore_best = restore_best
        self.checkpoint = checkpoint
        self.n_iterations = n_iterations
        self.init = init
        self.sample_posterior = sample_posterior
        self.device = device
        self.n_devices = n_devices
        self.progress = progress
        self.random_state = random_state

    def _build(self, n_features: int, generator: torch.Generator) -> VariationalAutoencoder:
        from vaeimpute.models import VariationalAutoencoder

        return VariationalAutoencoder(
            n_features,
            hidden_sizes=self.hidden_sizes,
            latent_dim=self.latent_dim,
            beta=self.beta,
            scale=self.scale,
            shift=float(self.shift) if self.train_shift else 0.0,
            masking_noise=self.masking_noise,
            generator=generator,
        )

    def _fit(self, X: np.ndarray) -> None:
        # Set before training, so that a model that is interrupted can be used.
        self.shift_ = 0.0 if self.shift is None or self.shift == "auto" else float(self.shift)
        if hasattr(self, "shift_curve_"):
            del self.shift_curve_  # of an earlier fit
        if self.shift == "auto":
            self.shift_ = self._choose_shift(X)
        self._weigh_variances(X)
        super()._fit(X)
        if self.checkpoint is not None:
            self._shift_checkpoint.unlink(missing_ok=True)

    def _weigh_variances(self, X: np.ndarray) -> None:
        """Say how the model's variances are joined with those of features that lack values.

        About a feature that it has seen a few times, a network is as sure as about any other.
        """
        count = (~np.isnan(X)).sum(axis=0)
        unit = np.square(self._scaler.scale_)  # variances are pooled in units of the input
        about_mean = predictive_variance(np.nansum(np.square(X), axis=0) * unit, count) / unit
        complete = count == len(X)
        weight = count / (count + _PRIOR_VALUES)
        self._model_weight = np.where(complete, 1.0, weight * about_mean)
        self._prior_variance = np.where(complete, 0.0, (1 - weight) * about_mean)

    def _choose_shift(self, X: np.ndarray) -> float:
        """Return the shift that best restores low values of rows that a model has not seen.

        It is the paper's choice of lambda (section "Variational autoencoder imputation with shift
        correction", last paragraph), on rows of its own, drawn without regard to strata.
        """
        rng = self._generator("shift")
        order = rng.permutation(len(X))
        held_out, rows = X[order[: len(X) // 5]], X[order[len(X) // 5 :]]
        # One threshold for all features, as in the scenario "mnar_low_values".
        hidden = hide(held_out < np.nanquantile(rows, _LOW), 0.5, rng)
        self.shift_curve_ = pd.DataFrame({"shift": [0.0], "mae": [np.nan]})
        if not hidden.any():
            return 0.0  # nothing to choose with
        checkpoint = None if self.checkpoint is None else self._shift_checkpoint
        trial = clone(self).set_params(shift=None, checkpoint=checkpoint)
        trial._keep_checkpoint = True  # until the other training, which may be interrupted, is over
        NeuralImputer._train(trial, rows)
        self.shift_curve_ = trial._shift_curve(held_out, hidden, SHIFTS)
        return float(self.shift_curve_["shift"].iloc[self.shift_curve_["mae"].argmin()])

    @property
    def _shift_checkpoint(self) -> Path:
        return Path(f"{self.checkpoint}-shift")

    def shift_curve(
        self, X: ArrayLike, hidden: ArrayLike, shifts: Iterable[float] = SHIFTS
    ) -> pd.DataFrame:
        """Measure the error on hidden values over a range of shifts, without training again.

        With it, the shift can be chosen on validation rows of one's own: fit on the others, hide
        low values, take the shift of the smallest error, and fit an imputer with it on all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows that the fit has not seen.
        hidden : boolean array-like of shape (n_samples, n_features)
            True for the values of `X` to hide, impute and compare.
        shifts : iterable of float

        Returns
        -------
        DataFrame
            ``shift`` and ``mae``, in standard deviations of the training rows.

        Raises
        ------
        ValueError
            If the model has learnt with a shift of its own.

        Examples
        --------
        >>> X = np.random.default_rng(0).normal(size=(40, 1)) * np.ones(12)
        >>> imputer = VAEImputer(hidden_sizes=(8,), latent_dim=2, n_epochs=2, random_state=0)
        >>> curve = imputer.fit(X[:30]).shift_curve(X[30:], X[30:] < 0, [0.0, 1.0])
        >>> curve["shift"].tolist(), float(curve["shift"][curve["mae"].idxmin()]) in (0.0, 1.0)
        ([0.0, 1.0], True)
        """
        X = self._validate(X)
        return self._shift_curve(self._scale(X), np.asarray(hidden), shifts)

    def with_shift(self, shift: float) -> VAEImputer:
        """Return an imputer of the same network that applies another shift, without training again.

        Parameters
        ----------
        shift : float
            0 for none.

        Returns
        -------
        VAEImputer
            Fitted; it shares the network with this one, which is not changed.

        Raises
        ------
        ValueError
            If the model has learnt with a shift of its own.

        Examples
        --------
        >>> X = np.random.default_rng(0).normal(size=(40, 1)) * np.ones(12)
        >>> imputer = VAEImputer(hidden_sizes=(8,), latent_dim=2, n_epochs=2, random_state=0).fit(X)
        >>> imputer.with_shift(2.0).shift_, imputer.shift_
        (2.0, 0.0)
        """
        if self.model_.shift:
            raise ValueError(
                f"The model has learnt with a shift of {self.model_.shift:g}, so no other can be "
                "applied: fit one without train_shift."
            )
        shifted = copy(self).set_params(shift=shift)
        shifted.shift_ = float(shift)
        return shifted

    def _check_rows(self, n_rows: int) -> None:
        super()._check_rows(n_rows)
        if self.shift == "auto":
            super()._check_rows(n_rows - n_rows // 5)  # which `_choose_shift` trains a model on

    def _shift_curve(
        self, X: np.ndarray, hidden: np.ndarray, shifts: Iterable[float]
    ) -> pd.DataFrame:
        rows = []
        for shift in map(float, shifts):
            filled, _ = self.with_shift(shift)._predictions(X, hidden | np.isnan(X))
            rows.append((shift, np.abs(filled.astype(X.dtype) - X)[hidden].mean()))
        return pd.DataFrame(rows, columns=["shift", "mae"])

    @property
    def _shift_afterwards(self) -> float:
        """What is left to apply to the model's mean."""
        return 0.0 if self.model_.shift else self.shift_  # or it has learnt with it

    @property
    def _predict(self) -> Callable[[torch.Tensor], torch.Tensor]:
        model, shift = self.model_, self._shift_afterwards
        if not self.sample_posterior:
            return lambda x: model.reconstruct(x, shift)
        import torch

        device = next(model.parameters()).device
        generator = torch.Generator(device).manual_seed(self._guess_seed)
        return lambda x: model.reconstruct(x, shift, model.draw_noise(x, generator)[0])

    def sample(self, X, n_draws: int = 10) -> np.ndarray:
        """Draw several fillings of a matrix, for multiple imputation.

        Each row is imputed first; then z is drawn from Q(z|X) of the filled row, and the missing
        entries from P(X|z). Draws of one row share what is uncertain about z.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN means missing.
        n_draws : int

        Returns
        -------
        ndarray of shape (n_draws, n_samples, n_features)
            In the units of `X`, features in the order of the fit; observed entries are the same in
            all draws.
        """
        values, missing, settled = self._settled(X, n_draws)
        center = settled.filled.cpu().double().numpy()
        model_std = self._model_std(settled.encoded)
        ratio = self._widened(model_std, settled) / model_std
        trust = self._trust[settled.ran_away.cpu().numpy().astype(int), None]
        filled = np.repeat(values[None], n_draws, axis=0)
        rng = generator(self._guess_seed, "draws")
        draws = self._decode_draws(settled.encoded, n_draws)
        for one, (mean, scale) in zip(filled, draws, strict=True):
            draw = mean + scale * rng.standard_normal(mean.shape)
            draw = trust * center + ratio * (draw - center)
            one[missing] = self._bounded(self._scaler.inverse_transform(draw))[missing]
        return self._with_empty(filled, np.nan_to_num(self._given_to_empty(X)))

    def predict_std(self, X, n_draws: int = 20):
        """Return the predictive standard deviation of every missing entry.

        By the law of total variance over draws of z: the mean of the decoder's variance plus the
        variance of its mean.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN means missing.
        n_draws : int
            Draws of z.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            In the units of `X`; 0 where a value is observed. A DataFrame where `transform` returns
            one.

        Notes
        -----
        It is what the model believes. Trained on few samples it believes too much of itself: check
        it on values that you hide. Two things are not left to the model. In rows whose iterations
        run away (see `transform`), standard deviations are enlarged until they agree with the
        errors of hidden values. And of a feature that training rows lack, the variance is an
        average of the model's and of that about the feature's mean (Smyth 2004; see
        `GaussianImputer.predict_std`), weighed with the number of its values and with 5.
        """
        _, missing, settled = self._settled(X, n_draws)
        std = self._widened(self._model_std(settled.encoded, n_draws), settled)
        std = np.where(missing, std * self._scaler.scale_, 0.0)
        return self._label(X, self._with_empty(std, 0 * self._given_to_empty(X)))

    def _widened(self, std: np.ndarray, settled: Settled) -> np.ndarray:
        """Return standard deviations that know of rows that run away and of rare features."""
        std = std * self._widening[settled.ran_away.cpu().numpy().astype(int), None]
        return np.sqrt(self._prior_variance + self._model_weight * np.square(std))

    def _settled(self, X, n_draws: int) -> tuple[np.ndarray, np.ndarray, Settled]:
        """Return X, where it is missing, and where its iterations end."""
        check_arguments(type(self).__name__, {"n_draws": [COUNT]}, n_draws=n_draws)
        X = self._validate(X).astype(np.float64, copy=False)
        missing = np.isnan(X)
        return X, missing, self._settle(self._scale(X), missing)

    def _model_std(self, encoded: torch.Tensor, n_draws: int = 20) -> np.ndarray:
        within, total, squares = (np.zeros(encoded.shape) for _ in range(3))
        for mean, scale in self._decode_draws(encoded, n_draws):
            within += np.square(scale)
            total += mean
            squares += np.square(mean)
        between = np.maximum(squares / n_draws - np.square(total / n_draws), 0.0)
        return np.sqrt(within / n_draws + between)

    def _decode_draws(
        self, encoded: torch.Tensor, n_draws: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield means and scales of P(X|z) for draws of z from Q(z|X) of some rows."""
        import torch

        generator = torch.Generator(encoded.device).manual_seed(self._guess_seed)
        with torch.no_grad():
            mean, log_variance = self.model_.encode(encoded)
        spread = torch.exp(0.5 * log_variance)
        for _ in range(n_draws):
            noise = torch.randn(mean.shape, generator=generator, device=mean.device)
            with torch.no_grad():  # not around the loop: it would hold while others run
                center, scale = self.model_.decode(mean + spread * noise)
            center = center - self._shift_afterwards * scale
            yield center.cpu().double().numpy(), scale.cpu().double().numpy()

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.train_shift and not isinstance(self.shift, Real):
            raise ValueError(
                f"train_shift needs shift as a number but it is {self.shift!r}: a model learns "
                "with one value."
            )
