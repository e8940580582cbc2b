"""Adam, in float32 or with the matrix products in bfloat16."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

Precision = Literal["float32", "bfloat16"]

_LARGE = 50_000_000  # weights; the networks of the quick mode have about 10 million


class Optimizer:
    """Adam on the float32 weights of a model that itself computes in float32 or in bfloat16.

    In bfloat16, the weights and gradients of the model are half as large and their products two
    to three times as fast where the hardware multiplies bfloat16. Steps are still taken in
    float32: many are smaller than what bfloat16 resolves and would be lost. (torch.autocast, which
    keeps float32 gradients of all weights as well, was found to take a quarter longer.)

    Parameters
    ----------
    model : nn.Module
        With float32 weights. Until `release`, they are in bfloat16 if `precision` says so.
    learning_rate : float
    precision : {"float32", "bfloat16"}

    Attributes
    ----------
    weights : dict of str to Tensor
        The float32 weights by their names in the model.

    References
    ----------
    Micikevicius et al. 2018, ICLR, "Mixed precision training", section 3.1.

    Examples
    --------
    >>> model = nn.Linear(2, 1)
    >>> optimizer = Optimizer(model, learning_rate=0.1, precision="bfloat16")
    >>> model.weight.dtype, optimizer.weights["weight"].dtype
    (torch.bfloat16, torch.float32)
    >>> optimizer.release()
    >>> model.weight.dtype
    torch.float32
    """

    def __init__(self, model: nn.Module, *, learning_rate: float, precision: Precision) -> None:
        self._model = model
        self._parameters = dict(model.named_parameters())
        self._copied = precision == "bfloat16"
        self.weights: dict[str, torch.Tensor] = dict(self._parameters)
        if self._copied:
            self.weights = {name: weight.detach().clone() for name, weight in self.weights.items()}
            model.to(torch.bfloat16)
            # One buffer serves all gradients in turn, which takes an optimizer for each weight.
            largest = max(weight.numel() for weight in self.weights.values())
            self._gradient = next(iter(self.weights.values())).new_empty(largest)
        self._adams = {
            name: torch.optim.Adam([weight], lr=learning_rate, fused=True)
            for name, weight in self.weights.items()
        }

    def clip(self, largest_norm: float) -> torch.Tensor:
        """Shorten the gradient to this norm if it is longer; return the norm that it had."""
        return nn.utils.clip_grad_norm_(self._parameters.values(), largest_norm)

    @torch.no_grad()
    def step(self) -> None:
        """Move the weights by one step of Adam, and forget the gradients."""
        for name, parameter in self._parameters.items():
            weight = self.weights[name]
            if self._copied:
                gradient = self._gradient[: weight.numel()].view_as(weight)
                weight.grad = gradient.copy_(parameter.grad)  # type: ignore[arg-type]
            self._adams[name].step()
            if self._copied:
                parameter.copy_(weight)
            weight.grad = parameter.grad = None

    def release(self) -> None:
        """Give the model its float32 weights, and forget the gradients."""
        self._model.zero_grad()
        for name, parameter in self._parameters.items():
            parameter.data = self.weights[name].data

    @torch.no_grad()
    def set_weights(self, weights: dict[str, torch.Tensor]) -> None:
        """Replace the weights, in the model too."""
        for name, weight in weights.items():
            self.weights[name].copy_(weight)
            self._parameters[name].copy_(weight)

    def state(self) -> dict[str, torch.Tensor]:
        """Return weights, both moments and step counts as one flat dict."""
        return {f"weight.{name}": weight.detach() for name, weight in self.weights.items()} | {
            f"{key}.{name}": value
            for name, adam in self._adams.items()
            for moments in adam.state.values()
            for key, value in moments.items()
        }

    def load_state(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take over what `state` returned."""
        self.set_weights({name: tensors[f"weight.{name}"] for name in self.weights})
        for name, adam in self._adams.items():
            weight = self.weights[name]
            adam.state[weight] = {
                key: tensors[f"{key}.{name}"].to(weight.device, copy=True)
                for key in ("step", "exp_avg", "exp_avg_sq")
            }


def choose_precision(model: nn.Module, device: torch.device | str) -> Precision:
    """Return bfloat16 for a large model on hardware that multiplies it, otherwise float32.

    Small models gain little, and in float32 they give nearly the same numbers on every machine.

    Parameters
    ----------
    model : nn.Module
    device : torch.device or str

    Returns
    -------
    {"float32", "bfloat16"}

    Examples
    --------
    >>> choose_precision(nn.Linear(2, 1), "cpu")
    'float32'
    """
    if sum(weight.numel() for weight in model.parameters()) < _LARGE:
        return "float32"
    kind, fast = torch.device(device).type, False
    if kind == "cuda":
        fast = torch.cuda.is_bf16_supported()
    elif kind == "cpu" and hasattr(torch.cpu, "get_capabilities"):  # since torch 2.11 or so
        has = torch.cpu.get_capabilities()
        fast = any(has.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16"))
    return "bfloat16" if fast else "float32"
