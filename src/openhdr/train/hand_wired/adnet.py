"""ADNet: see the package."""

from __future__ import annotations

import torch

from openhdr.models.adnet import WIDTH, ADNet, PyramidAlignment
from openhdr.models.layers.blocks import DilatedDenseBlock
from openhdr.train.hand_wired import GATE, KNEE, LONG_KNEE, LONG_SHARE, STEP
from openhdr.train.hand_wired.wiring import COLOURS, copies, unclip, wire, wire_clip

SHORT, MEDIUM, LONG = 0, 2 * WIDTH, 4 * WIDTH  # first channels of frames at EV 0, moved, before fusion
PHOTOS = WIDTH  # from there to the same photo, times an attention for the outer ones
DARK, BRIGHT = 0, 3  # first of three channels of relu(t - x) and of relu(x - t') of a photo
OPEN = 4.0  # logit of that attention


@torch.no_grad()
def initialise(net: ADNet) -> None:
    """Set the weights of the full design."""
    wire(net.pyramid.input, copies(0, 0))
    wire(net.pyramid.residual[1], {c: {} for c in COLOURS})
    assert isinstance(net.align, PyramidAlignment)
    for level in (
        net.align.full_scale,
        net.align.cascade,
    ):  # pass where offsets are 0; masks begin at one half
        for colour in COLOURS:
            level.deform.weight[colour] = 0
            level.deform.weight[colour, colour, 1, 1] = 2
            level.deform.bias[colour] = 0
    wire(net.align.full_scale.merge, copies(0, 0))
    wire(net.features, copies(DARK, 0, -1.0), bias=KNEE)
    wire(net.features, copies(BRIGHT, 0), bias=-LONG_KNEE)
    wire(net.attention_long.second, {BRIGHT + c: {} for c in COLOURS}, bias=OPEN)

    x, short, dark, long, bright, made = range(0, 18, 3)  # channels of the fusion
    wire(net.fuse.input, copies(x, MEDIUM))
    wire(net.fuse.input, copies(short, SHORT))
    wire(net.fuse.input, copies(dark, MEDIUM + PHOTOS + DARK))
    wire(net.fuse.input, copies(long, LONG))
    wire(net.fuse.input, copies(bright, LONG + PHOTOS + BRIGHT))
    wire(net.fuse.input, {made + c: {} for c in COLOURS})
    block = net.fuse.blocks[0]
    assert isinstance(block, DilatedDenseBlock)
    wire(block.layers[0], {c: {short + c: 1.0, dark + c: -GATE} for c in COLOURS}, bias=-1.0)
    wire_clip(block.layers[0], 3, (long, x), (bright, GATE), STEP)
    wire(block.merge, {made + c: {WIDTH + c: 1.0, **unclip(WIDTH + 3, c, LONG_SHARE)} for c in COLOURS})
    wire(net.fuse.gather[0], copies(0, made))
    wire(net.fuse.gather[1], copies(0, 0))
    wire(net.fuse.output[0], copies(0, 0))
    wire(net.fuse.output[2], copies(0, 0))
