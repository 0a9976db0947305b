"""First weights with which a network is a plain method already, one file a network.

Three frames: a merge that takes the short frame where the reference clips,

    out = m                  where the reference is properly exposed
        = max(m, s')         where it clips

        + w clip(l' - m, -d, d)      where the long frame does not clip: it is less noisy (not eapnet)

m: the reference at EV 0, s', l': the others at EV 0. In networks of ReLUs the first two lines are
m + relu(s' - 1 - K relu(t - m)), and clip(x, -d, d) = relu(x) - relu(x - d) - relu(-x) + relu(-x - d), which some of
their channels are set to compute. One photo: the photo itself, with clipped light 1.7 times as bright.

`eapnet` may also begin as the shipped weights of its lightweight version (`light`).

The other channels begin at random, and reach the output through weights that begin at zero. All weights learn. The
papers begin at random; it costs hours of one processor core until a network is where this begins.

A row is named as the network; its target is begin(net), which sets the weights in place.
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

BEGINNINGS: Table[Row] = Table(
    "network that can begin as a plain method",
    Row("ahdrnet", "In logits, as the output is a sigmoid.", f"{_HERE}.ahdrnet:begin", extra="torch"),
    Row("adnet", "From the aligned branch.", f"{_HERE}.adnet:begin", extra="torch"),
    Row("gsanet", "From the group of aligned images.", f"{_HERE}.gsanet:begin", extra="torch"),
    Row("eapnet", "What is clipped at half size, the rest at full.", f"{_HERE}.eapnet:begin", extra="torch"),
    Row("eapnet-light", "As eapnet.", f"{_HERE}.eapnet:begin", extra="torch"),
    Row(
        "two-stage",
        "Both stages pass the photo; clipped light is lifted.",
        f"{_HERE}.two_stage:begin",
        extra="torch",
    ),
    Row("stack-itm", "A black exposure, mixed in and taken out.", f"{_HERE}.stack_itm:begin", extra="torch"),
)

FROM_LIGHT = Row("eapnet", "As eapnet-light.", f"{_HERE}.eapnet:begin_from_light", extra="torch")


def begun_network(name: str, how: str, variant: Mapping[str, Any]) -> nn.Module:
    """An untrained network of the table of networks that begins as "plain" or "light" says.

    Raises RequestError where there is no such beginning.
    """
    from openhdr.models import load

    if how == "light" and name != "eapnet":
        raise RequestError(f"recipe key 'network.begin' is light, which is for eapnet; '{name}' begins plain")
    net = load(name, **variant)
    (FROM_LIGHT if how == "light" else BEGINNINGS[name]).load()(net)
    return net


def wired_weights(name: str, variant: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """True for the numbers of each parameter that a plain method sets; the others come from chance."""
    import torch

    with torch.random.fork_rng(devices=[]):
        nets = []
        for seed in (0, 1):
            torch.manual_seed(seed)
            nets.append(begun_network(name, "plain", variant))
    pairs = zip(nets[0].named_parameters(), nets[1].named_parameters(), strict=True)
    return {parameter: one.detach() == other.detach() for (parameter, one), (_, other) in pairs}
