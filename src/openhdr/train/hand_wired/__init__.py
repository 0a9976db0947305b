"""Weights set by formula, with which a network computes a known method before it is trained; one file a network.

Three frames: a merge that takes the short frame where the reference clips,

    out = m                  where the reference is properly exposed
        = max(m, s')         where it clips

        + w clip(l' - m, -d, d)      where the long frame does not clip: it is less noisy (not eapnet)

m: the reference at EV 0, s', l': the others at EV 0. In networks of ReLUs the first two lines are
m + relu(s' - 1 - K relu(t - m)), and clip(x, -d, d) = relu(x) - relu(x - d) - relu(-x) + relu(-x - d), which some of
their channels are set to compute. One photo: the photo itself, with clipped light 1.7 times as bright.

`eapnet` may also start from the shipped weights of its lightweight version (`light`).

The other channels start at random values, and reach the output through weights that are zero. All weights are
trained. The papers start from random weights; reaching the score of this initialisation from there takes hours of one
processor core.

A row is named as the network; its target is initialise(net), which sets the weights in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from openhdr.core.errors import RequestError
from openhdr.core.table import Row, Table

if TYPE_CHECKING:
    import torch
    from torch import nn

KNEE = 0.97  # t: gamma-coded value from which the reference counts as clipped
LIFT = 1.7  # light of what a single photo clips: near the best constant on training scenes
GATE = 20.0  # K: so much below t, times this, closes the gate

LONG_KNEE = 0.95  # value from which the long frame counts as clipped; resampling spreads what does
LONG_SHARE = 0.7  # w
STEP = 0.015  # d, gamma-coded: more than most noise, and a ghost of this height is faint

_HERE = "openhdr.train.hand_wired"

INITIALISATIONS: Table[Row] = Table(
    "network with hand-wired weights",
    Row("ahdrnet", "In logits, as the output is a sigmoid.", f"{_HERE}.ahdrnet:initialise", extra="torch"),
    Row("adnet", "From the aligned branch.", f"{_HERE}.adnet:initialise", extra="torch"),
    Row("gsanet", "From the group of aligned images.", f"{_HERE}.gsanet:initialise", extra="torch"),
    Row(
        "eapnet",
        "What is clipped at half size, the rest at full.",
        f"{_HERE}.eapnet:initialise",
        extra="torch",
    ),
    Row("eapnet-light", "As eapnet.", f"{_HERE}.eapnet:initialise", extra="torch"),
    Row(
        "two-stage",
        "Both stages pass the photo; clipped light is lifted.",
        f"{_HERE}.two_stage:initialise",
        extra="torch",
    ),
    Row(
        "stack-itm",
        "A black exposure, mixed in and taken out.",
        f"{_HERE}.stack_itm:initialise",
        extra="torch",
    ),
)

FROM_LIGHT = Row("eapnet", "As eapnet-light.", f"{_HERE}.eapnet:initialise_from_light", extra="torch")


def initialised_network(name: str, how: str, variant: Mapping[str, Any]) -> nn.Module:
    """A network with the weights that `how` names, "hand-wired" or "light".

    Raises RequestError where there are none.
    """
    from openhdr.models import load

    if how == "light" and name != "eapnet":
        raise RequestError(
            f"recipe key 'network.initialisation' is light, which is for eapnet; "
            f"'{name}' has hand-wired weights"
        )
    net = load(name, **variant)
    (FROM_LIGHT if how == "light" else INITIALISATIONS[name]).load()(net)
    return net


def hand_wired_numbers(name: str, variant: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Masks, by parameter: True for the numbers that the formula sets; the others are random."""
    import torch

    with torch.random.fork_rng(devices=[]):
        nets = []
        for seed in (0, 1):
            torch.manual_seed(seed)
            nets.append(initialised_network(name, "hand-wired", variant))
    pairs = zip(nets[0].named_parameters(), nets[1].named_parameters(), strict=True)
    return {parameter: one.detach() == other.detach() for (parameter, one), (_, other) in pairs}
