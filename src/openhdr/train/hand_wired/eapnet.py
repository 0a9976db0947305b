"""EAPNet and its lightweight version: see the package.

Only the reference is there at full resolution, so what is taken from the short frame is made at half of it, by the
attention: sigmoid(S (m - t)) x relu(s' - 1). Blocks pass it on by their skips.
"""

from __future__ import annotations

import torch

from openhdr.models import load
from openhdr.models.eapnet import HIGH, EAPNet, Encoder, Guide
from openhdr.models.layers.blocks import SpatialAttention
from openhdr.train.hand_wired import KNEE
from openhdr.train.hand_wired.wiring import COLOURS, copies, wire, wire_separable

STEEPNESS = 60.0  # S
LIGHT, ABOVE = 0, 3  # first channels of x and of relu(x - 1), both at EV 0
ALIGNED = 3  # first channel of a frame at EV 0, after the frame itself


def initialise(net: EAPNet) -> None:
    """Set the weights of a design with two scales, own encoders and progressive blocks."""
    for encoder in net.encoders:
        assert isinstance(encoder, Encoder)
        _encode(encoder)
    guide = net.guide_high[0]
    assert isinstance(guide, Guide) and isinstance(guide.attention, SpatialAttention)
    wire_separable(guide.attention.first, copies(0, HIGH + LIGHT))
    wire_separable(guide.attention.second, copies(ABOVE, 0, STEEPNESS), bias=-STEEPNESS * KNEE)
    if hasattr(guide, "alignment"):
        predicted = guide.alignment.get_submodule("predict.2.pointwise")
        wire(predicted, {base + ABOVE + c: {} for base in (0, HIGH) for c in COLOURS})
    wire_separable(net.fuse, copies(0, ABOVE))
    for block in net.blocks:
        wire(block.get_submodule("output.pointwise"), {c: {} for c in COLOURS})
    last = (len(net.blocks) - 1) * HIGH
    wire(net.gather[0], copies(0, last))
    wire_separable(net.gather[1], copies(0, 0))
    wire_separable(net.restore, copies(0, 0))
    wire(net.output, copies(0, 0))


@torch.no_grad()
def _encode(encoder: Encoder) -> None:
    """x and relu(x - 1) of the frame at EV 0, at half resolution as the mean of four pixels."""
    wire(encoder.stem, copies(LIGHT, ALIGNED))
    wire(encoder.stem, copies(ABOVE, ALIGNED), bias=-1.0)
    wire(encoder.high.pointwise, {k: {k: 1.0} for k in range(6)})
    weight = encoder.high.depthwise.weight[:6]
    weight.zero_()
    weight[:, 0, 1:, 1:] = 0.25


@torch.no_grad()
def initialise_from_light(net: EAPNet) -> None:
    """Set the weights from those shipped for the lightweight version, which costs less to train: all that the two
    share as it is, transposed convolutions as the 1x1 ones between which the light version interpolates, and the
    fourth block at random, with no way to the output yet.
    """
    light = load("eapnet-light", "eapnet-light").state_dict()
    for name, own in net.state_dict().items():
        if name not in light:
            continue
        given = light[name]
        if own.shape == given.shape:
            own.copy_(given)
        elif name == "gather.0.weight":
            own.zero_()[:, : given.shape[1]] = given
        else:  # (out, in, 1, 1) -> (in, out, 2, 2)
            own.copy_(given.transpose(0, 1).expand_as(own))
