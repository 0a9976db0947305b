"""One optimiser step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import nn

from openhdr.core.errors import OpenHDRError
from openhdr.train.distributed import mean_over_processes, together
from openhdr.train.examples import Batch
from openhdr.train.objectives.nets import Nets, Terms
from openhdr.train.recipe import Recipe
from openhdr.train.state import Player, State


class LossError(OpenHDRError):
    """A loss is not a finite number; the weights are those from before the step."""


def take_step(recipe: Recipe, state: State, pieces: Sequence[Batch], lr: float) -> dict[str, float]:
    """Train every network on the pieces of one batch; returns the terms and `loss`, their sum for the network.

    The terms are means over pieces and processes. Raises LossError before weights are touched by a loss that
    is not finite.
    """
    torch.manual_seed(recipe.run.seed + state.step)
    reported: dict[str, float] = {}
    for name, player in state.players.items():
        terms = _gradients(recipe, state, name, pieces)
        wrong = [term for term, value in terms.items() if not math.isfinite(value)]
        if wrong:
            raise LossError(f"the loss '{wrong[0]}' became {terms[wrong[0]]} in step {state.step + 1}")
        _update(recipe, state, player, lr)
        if name == "net":
            reported["loss"] = sum(terms.values())
        reported |= terms
    return reported


def _gradients(recipe: Recipe, state: State, name: str, pieces: Sequence[Batch]) -> dict[str, float]:
    """Gradients of one player's loss, added over the pieces; returns the mean terms."""
    player = state.players[name]
    player.optimiser.zero_grad(set_to_none=True)
    others = [other for other in state.players.values() if other is not player]
    sums: Terms = {}
    for other in others:
        other.learn(False)
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        with nullcontext() if last else _alone(player.called):
            terms = _terms(recipe, state, name, piece)
            loss = torch.stack(list(terms.values())).sum() / len(pieces)
            state.scaler.scale(loss).backward()
        sums = {key: sums.get(key, 0) + value.detach() / len(pieces) for key, value in terms.items()}
    for other in others:
        other.learn(True)
    means = mean_over_processes(torch.stack(list(sums.values())).double()).tolist()
    return dict(zip(sums, means, strict=True))


def _terms(recipe: Recipe, state: State, name: str, piece: Batch) -> Terms:
    """The loss terms of one player; the other one is called without being wrapped."""
    device = next(state.players[name].module.parameters()).device
    batch = {key: value.to(device, non_blocking=True) for key, value in piece.items()}
    nets = Nets(*(player.called if key == name else player.module for key, player in state.players.items()))
    precision = recipe.compute.precision
    with torch.autocast(device.type, getattr(torch, precision), enabled=precision != "float32"):
        if name == "net":
            return recipe.objective.net_terms(nets, batch, state.step)
        return recipe.objective.critic_terms(nets, batch, state.step)


def _update(recipe: Recipe, state: State, player: Player, lr: float) -> None:
    for group in player.optimiser.param_groups:
        group["lr"] = lr
    if recipe.optimiser.clip_norm:
        state.scaler.unscale_(player.optimiser)
        nn.utils.clip_grad_norm_(player.module.parameters(), recipe.optimiser.clip_norm)
    held = {name: player.module.get_parameter(name) for name in player.rates}
    before = {name: parameter.detach().clone() for name, parameter in held.items()}
    state.scaler.step(player.optimiser)
    state.scaler.update()
    with torch.no_grad():
        for name, rate in player.rates.items():
            held[name].copy_(torch.lerp(before[name], held[name], rate))


def _alone(called: nn.Module):
    """Gradients of this piece wait for the last one before they are averaged over processes."""
    return called.no_sync() if together() and hasattr(called, "no_sync") else nullcontext()
