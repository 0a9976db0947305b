"""GSANet: see the package."""

from __future__ import annotations

import torch

from openhdr.models.gsanet import WIDTH, Denoiser, GSANet
from openhdr.train.hand_wired import GATE, KNEE, LONG_KNEE, LONG_SHARE, STEP
from openhdr.train.hand_wired.wiring import COLOURS, copies, unclip, wire, wire_clip, wire_separable

DARK, BRIGHT = 3, 6  # first of three channels of relu(t - x) and of relu(x - t'), after x itself
SHORT, MEDIUM, LONG = 2 * WIDTH, 3 * WIDTH, 4 * WIDTH  # first channels of s*, m' and l' among what is merged
LONG_PHOTO = 6 * WIDTH  # of the long photo, times an attention
OPEN = 4.0  # logit of that attention


def initialise(net: GSANet) -> None:
    """Set the weights of the published design (three groups, all parts)."""
    _pass(net.denoise)
    wire(net.features, copies(0, 0))
    wire(net.features, copies(DARK, 0, -1.0), bias=KNEE)
    wire(net.features, copies(BRIGHT, 0), bias=-LONG_KNEE)
    open_gate: dict[int, dict[int, float]] = {BRIGHT + c: {} for c in COLOURS}
    wire(net.attention_long.second.pointwise, open_gate, bias=OPEN)
    x, short, dark, long, bright = range(0, 15, 3)  # channels of what is merged
    wire_separable(net.fuse, copies(x, MEDIUM))
    wire_separable(net.fuse, copies(short, SHORT))
    wire_separable(net.fuse, copies(dark, MEDIUM + DARK))
    wire_separable(net.fuse, copies(long, LONG))
    wire_separable(net.fuse, copies(bright, LONG_PHOTO + BRIGHT))
    carried = {k: {k: 1.0} for k in range(15)}
    wire(net.channel_attention.body[2], {k: {} for k in carried})
    wire_separable(net.refine, carried)
    first = net.dense_block.layers[0]
    wire(first, {c: {short + c: 1.0, dark + c: -GATE} for c in COLOURS}, bias=-1.0)
    wire_clip(first, 3, (long, x), (bright, GATE), STEP)
    wire(net.dense_block.merge, {c: {WIDTH + c: 1.0, **unclip(WIDTH + 3, c, LONG_SHARE)} for c in COLOURS})
    wire_separable(net.output[0], copies(0, x))
    wire(net.output[2], copies(0, 0))


@torch.no_grad()
def _pass(denoiser: Denoiser) -> None:
    """The image passes: its pixels are spread over channels at half resolution and put together again."""
    wire(denoiser.input, copies(0, 0))
    bias = denoiser.down.get_parameter("bias")
    for colour in COLOURS:
        for place in range(4):
            row = denoiser.down.weight[4 * colour + place]
            row.zero_()
            row[colour, 1 + place // 2, 1 + place % 2] = 1
            bias[4 * colour + place] = 0
    spread = {k: {k: 1.0} for k in range(12)}
    wire_separable(denoiser.middle, spread)
    wire_separable(denoiser.up, spread)
    wire(denoiser.output, copies(0, 0))
