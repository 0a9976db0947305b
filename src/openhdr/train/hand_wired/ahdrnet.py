"""AHDRNet: see the package.

The output is a sigmoid, so sums are of logits: logit(x) as a sum of ramps, of which the first layer makes those of
every colour of a frame at EV 0. Ramps rise to either side, from knots that lie closer towards 0 and 1, so that each
is of about the same size: a sum of large terms that cancel would not survive the first steps of training.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch.nn import functional as F

from openhdr.models.ahdrnet import AHDRNet
from openhdr.models.layers.blocks import DilatedDenseBlock
from openhdr.train.hand_wired import GATE, KNEE, LONG_KNEE, LONG_SHARE
from openhdr.train.hand_wired.wiring import COLOURS, copies, unclip, wire, wire_clip

KNOTS = {-1: (0.005, 0.012, 0.028, 0.06, 0.12, 0.25), 1: (0.0, 0.6, 0.8, 0.9, 0.95, 0.98)}
"""Gamma-coded values from which ramps rise downwards, and those from which they rise upwards."""

RAMPS = 3 * sum(map(len, KNOTS.values()))  # channels of ramps
DARK, BRIGHT = (
    RAMPS,
    RAMPS + 3,
)  # first of three channels of relu(t - x) and of relu(x - t') of a photo itself
FREE = RAMPS + 6  # first of three channels of the reference's skip that are left empty
ALIGNED = 3  # first input channel of a frame at EV 0, after the photo itself
OPEN = 4.0  # logit of the attention to the outer frames
SLOPE = 0.01  # of the first layer's LeakyReLU below 0
SHARPER = 5.0  # of two factors of the gate: logits are larger numbers than light
LOGIT_STEP = 0.06  # d


def initialise(net: AHDRNet) -> None:
    """Set the weights of the published design."""
    width = net.config.features
    ramps, level = logit_ramps()
    signs = [1.0 if height > 0 else -1.0 for _, _, height in ramps]
    for number, (direction, knot, height) in enumerate(ramps):
        steepness = abs(height) * direction
        wire(net.encode, copies(3 * number, ALIGNED, steepness), bias=-knot * steepness)
    steepness = GATE / SHARPER
    wire(net.encode, copies(DARK, 0, -steepness), bias=KNEE * steepness)
    wire(net.encode, copies(BRIGHT, 0, steepness), bias=-LONG_KNEE * steepness)
    wire(net.encode, {FREE + c: {} for c in COLOURS})
    for attention in (net.attention_short, net.attention_long):
        wire(attention.second, {k: {} for k in range(FREE)}, bias=OPEN)

    passed = 1 / torch.tensor(OPEN).sigmoid().item()
    sums = {c: {3 * k + c: sign for k, sign in enumerate(signs)} for c in COLOURS}  # of ramps: logits
    short, medium, long, dark, bright, made = range(0, 18, 3)  # channels of the fusion
    for first, frame, share in ((short, 0, passed), (medium, width, 1.0), (long, 2 * width, passed)):
        for c, ramps_of in sums.items():
            wire(net.fuse, {first + c: {frame + k: sign * share for k, sign in ramps_of.items()}})
    wire(net.fuse, copies(dark, width + DARK))
    wire(net.fuse, copies(bright, 2 * width + BRIGHT))
    wire(net.fuse, {made + c: {} for c in COLOURS})
    _merge(net, (short, medium, long, dark, bright, made))
    wire(net.gather[0], copies(FREE, made))
    wire(net.gather[1], {k: {} for k in range(FREE)})
    wire(net.gather[1], copies(FREE, FREE))
    wire(net.output[0], {c: {**sums[c], FREE + c: 1.0} for c in COLOURS}, bias=level)
    wire(net.output[1], copies(0, 0))


def _merge(net: AHDRNet, channels: tuple[int, ...]) -> None:
    """The first block makes what is added to the reference; `bright` leaks below 0 and passes a ReLU first."""
    short, medium, long, dark, bright, made = channels
    block, width = net.blocks[0], net.config.features
    assert isinstance(block, DilatedDenseBlock)
    made_bright, clip = width + 3, width + net.config.growth
    gate = SHARPER**2
    difference = {c: {short + c: 1.0, medium + c: -1.0, dark + c: -gate} for c in COLOURS}
    wire(block.layers[0], difference)
    wire(block.layers[0], copies(3, bright))
    wire_clip(block.layers[1], 0, (long, medium), (made_bright, gate), LOGIT_STEP)
    wire(block.merge, {made + c: {width + c: 1.0, **unclip(clip, c, LONG_SHARE)} for c in COLOURS})


@cache
def logit_ramps() -> tuple[tuple[tuple[int, float, float], ...], float]:
    """Ramps (direction, knot, height), and a level, whose sum is logit(x) with the least squares after the mu-law."""
    x = np.geomspace(2e-3, 0.998, 4000)
    places = [(sign, knot) for sign, knots in KNOTS.items() for knot in knots]
    ramps = [F.leaky_relu(torch.tensor(sign * (x - knot)), SLOPE).numpy() for sign, knot in places]
    columns = np.stack([*ramps, np.ones_like(x)], 1)
    importance = 1.02 - x  # d log(x) / d logit(x) = 1 - x; never nothing
    wanted = np.log(x / (1 - x))
    *heights, level = np.linalg.lstsq(columns * importance[:, None], wanted * importance, rcond=None)[
        0
    ].tolist()
    return tuple((sign, knot, height) for (sign, knot), height in zip(places, heights, strict=True)), level
