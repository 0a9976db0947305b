"""Everything that changes while a run goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from openhdr.core.errors import FileError, unknown_name
from openhdr.models import WEIGHTS, load
from openhdr.train import checkpoint
from openhdr.train.distributed import DistributedContext, in_step, synchronised
from openhdr.train.ema import RunningMean
from openhdr.train.hand_wired import hand_wired_numbers, initialised_network
from openhdr.train.recipe import Recipe


@dataclass
class OptimisedNetwork:
    """A network that learns. called: the same network, compiled and in step with other processes. only: the
    prefixes of the names of what is trained; empty = all. rates: shares of the learning rate, number by number, of
    the parameters where it is not all of it everywhere.
    """

    module: nn.Module
    called: nn.Module
    optimiser: torch.optim.Optimizer
    only: tuple[str, ...] = ()
    rates: dict[str, torch.Tensor] = field(default_factory=dict)

    def learn(self, on: bool) -> None:
        """Let gradients be computed for what learns, or for nothing."""
        for name, parameter in self.module.named_parameters():
            parameter.requires_grad_(on and (not self.only or name.startswith(self.only)))


@dataclass
class State:
    """step: steps done. history: validation scores, oldest first."""

    networks: dict[str, OptimisedNetwork]
    mean: RunningMean | None
    scaler: torch.amp.GradScaler
    step: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def net(self) -> nn.Module:
        """The network as users would get it now: the running mean where there is one."""
        return self.mean.net if self.mean else self.networks["net"].module

    def modules(self) -> dict[str, nn.Module]:
        found = {name: network.module for name, network in self.networks.items()}
        return {**found, "mean": self.mean.net} if self.mean else found

    def save(self, run: Path, keep: int) -> Path:
        """Write a checkpoint."""
        rest = {
            "optimisers": {name: network.optimiser.state_dict() for name, network in self.networks.items()},
            "scaler": self.scaler.state_dict(),
            "history": self.history,
        }
        return checkpoint.save(run, self.step, self.modules(), rest, keep)

    def resume(self, path: Path) -> None:
        """Continue from a checkpoint."""
        rest = checkpoint.load(path, self.modules())
        for name, network in self.networks.items():
            network.optimiser.load_state_dict(rest["optimisers"][name])
        self.scaler.load_state_dict(rest["scaler"])
        self.step, self.history = rest["step"], rest["history"]


def new_state(recipe: Recipe, device: torch.device, context: DistributedContext) -> State:
    """The state before the first step: weights from the recipe's seed, the same in every process."""
    torch.manual_seed(recipe.run.seed)
    nets = {"net": new_network(recipe).train()}
    discriminator = recipe.objective.discriminator()
    if discriminator is not None:
        nets["discriminator"] = synchronised(discriminator.train())
    networks = {name: _optimised(name, net, recipe, device) for name, net in nets.items()}
    mean = RunningMean(networks["net"].module, recipe.ema) if recipe.ema.every else None
    scaler = torch.amp.GradScaler(device.type, enabled=recipe.compute.precision == "float16")
    return State(networks, mean, scaler)


def new_network(recipe: Recipe) -> nn.Module:
    """The recipe's network, untrained or with the weights that it starts from."""
    config = recipe.network
    if config.weights:
        if config.weights not in WEIGHTS and not Path(config.weights).is_file():
            raise FileError(
                config.weights, "no such file", "recipe key 'network.weights' names weights to start from"
            )
        return load(config.name, config.weights, **config.variant)
    if config.initialisation == "random":
        return load(config.name, **config.variant)
    if config.initialisation == "kaiming":
        net = load(config.name, **config.variant)
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        return net
    return initialised_network(config.name, config.initialisation, config.variant)


def _optimised(name: str, net: nn.Module, recipe: Recipe, device: torch.device) -> OptimisedNetwork:
    compute, only = recipe.compute, recipe.optimiser.only if name == "net" else ()
    names = [parameter for parameter, _ in net.named_parameters()]
    for part in only:
        if not any(parameter.startswith(part) for parameter in names):
            parts = list(dict.fromkeys(parameter.partition(".")[0] for parameter in names))
            raise unknown_name("value of recipe key 'optimiser.only',", part, parts)
    net = net.to(device)
    if compute.channels_last:
        net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    config = recipe.optimiser
    kind = torch.optim.AdamW if config.weight_decay else torch.optim.Adam
    optimiser = kind(
        net.parameters(), config.lr, betas=config.betas, eps=config.eps, weight_decay=config.weight_decay
    )
    rates = {}
    if name == "net" and config.hand_wired_lr_scale != 1:
        wired = hand_wired_numbers(recipe.network.name, recipe.network.variant)
        rates = {
            key: torch.where(mask, config.hand_wired_lr_scale, 1.0).to(device) for key, mask in wired.items()
        }
    network = OptimisedNetwork(net, net, optimiser, only, rates)
    network.learn(True)
    network.called = in_step(net, device)
    if compute.compile:
        network.called = cast(nn.Module, torch.compile(network.called, backend=compute.compile))
    return network
