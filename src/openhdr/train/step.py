"""One optimiser step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, cast

import torch
from torch import nn

from openhdr.core.errors import OpenHDRError
from openhdr.train.distributed import mean_over_processes, together
from openhdr.train.objectives.contract import Batch, Nets, Terms
from openhdr.train.recipe import Recipe
from openhdr.train.state import OptimisedNetwork, State


class LossError(OpenHDRError):
    """A loss is not a finite number; the weights are those from before the step."""


def take_step(recipe: Recipe, state: State, pieces: Sequence[Batch], lr: float) -> dict[str, float]:
    """Train every network on the pieces of one batch; returns the terms and `loss`, their sum for the network.

    The terms are means over pieces and processes. Raises LossError before weights are touched by a loss that
    is not finite.
    """
    torch.manual_seed(recipe.run.seed + state.step)
    reported: dict[str, float] = {}
    for name, network in state.networks.items():
        terms = _gradients(recipe, state, name, pieces)
        if not terms:
            continue
        wrong = [term for term, value in terms.items() if not math.isfinite(value)]
        if wrong:
            raise LossError(f"the loss '{wrong[0]}' became {terms[wrong[0]]} in step {state.step + 1}")
        _update(recipe, state, network, lr)
        if name == "net":
            reported["loss"] = sum(terms.values())
        reported |= terms
    return reported


def _gradients(recipe: Recipe, state: State, name: str, pieces: Sequence[Batch]) -> dict[str, float]:
    """Gradients of one network's loss, added over the pieces; returns the mean terms."""
    network = state.networks[name]
    network.optimiser.zero_grad(set_to_none=True)
    others = [other for other in state.networks.values() if other is not network]
    sums: Terms = {}
    for other in others:
        other.learn(False)
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        waits = together() and not last and hasattr(network.called, "no_sync")  # averaged with the last piece
        with cast(Any, network.called).no_sync() if waits else nullcontext():
            terms = _terms(recipe, state, name, piece)
            if not terms:
                break
            loss = torch.stack(list(terms.values())).sum() / len(pieces)
            state.scaler.scale(loss).backward()
        sums = {key: sums.get(key, 0) + value.detach() / len(pieces) for key, value in terms.items()}
    for other in others:
        other.learn(True)
    if not sums:
        return {}
    means = mean_over_processes(torch.stack(list(sums.values())).double()).tolist()
    return dict(zip(sums, means, strict=True))


def autocast(recipe: Recipe, device: torch.device) -> torch.autocast:
    """The precision of the recipe's products."""
    precision = recipe.compute.precision
    return torch.autocast(device.type, getattr(torch, precision), enabled=precision != "float32")


def _terms(recipe: Recipe, state: State, name: str, piece: Batch) -> Terms:
    """The loss terms of one network; the other one is called without being wrapped."""
    device = next(state.networks[name].module.parameters()).device
    batch = {key: value.to(device, non_blocking=True) for key, value in piece.items()}
    nets = Nets(
        *(network.called if key == name else network.module for key, network in state.networks.items())
    )
    with autocast(recipe, device):
        if name == "net":
            return recipe.objective.net_terms(nets, batch, state.step)
        return recipe.objective.discriminator_terms(nets, batch, state.step)


def _update(recipe: Recipe, state: State, network: OptimisedNetwork, lr: float) -> None:
    for group in network.optimiser.param_groups:
        group["lr"] = lr
    if recipe.optimiser.clip_norm:
        state.scaler.unscale_(network.optimiser)
        nn.utils.clip_grad_norm_(network.module.parameters(), recipe.optimiser.clip_norm)
    held = {name: network.module.get_parameter(name) for name in network.rates}
    before = {name: parameter.detach().clone() for name, parameter in held.items()}
    state.scaler.step(network.optimiser)
    state.scaler.update()
    with torch.no_grad():
        for name, rate in network.rates.items():
            held[name].copy_(torch.lerp(before[name], held[name], rate))
