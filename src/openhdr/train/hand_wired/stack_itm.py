"""stack-itm: see the package.

The fusion blends codes of 0..1 and turns them into light by one curve, so light above 1 needs room: the photo's codes
are blended with SHARE of the photo and the rest of a shorter exposure that is black at first, and the curve takes that
out again. Where the photo clips its share is larger, so that light is LIFT times as bright. Elsewhere the LeakyReLUs
leave 1 % of an error in the darkest light.
"""

from __future__ import annotations

import math

import torch

from openhdr.models.stack_itm import SRGB_CUBIC, StackITM
from openhdr.train.hand_wired import LIFT
from openhdr.train.hand_wired.wiring import COLOURS, wire

SHARE = 0.5  # of the photo in the blend
LONGER = 0.01  # of the longer exposure, which is black at first, too
FROM = 0.95  # code from which light is lifted, more and more towards 1
CODE_GAMMA = 2.4  # of the sRGB curve at its top
PHOTO = 3  # first channel of the photo among the three exposures; its mask is the second


@torch.no_grad()
def initialise(net: StackITM) -> None:
    """Set the weights of the design with a learned fusion."""
    for decoder in (net.decode_up, net.decode_down):
        for parameter in decoder.images.parameters():
            parameter.zero_()
    fusion = net.fusion
    shares = (LONGER, SHARE, 1 - SHARE - LONGER)
    for mask, share in enumerate(shares):
        wire(fusion.masks, {mask: {}}, bias=math.log(share))
    fusion.curve.bias.copy_(torch.tensor([a / SHARE**k for k, a in enumerate(SRGB_CUBIC)]))
    # the mask of the photo grows with the mean over colours of the ramp from FROM to 1
    wire(fusion.local[0], {c: {PHOTO + c: 1 / (1 - FROM)} for c in COLOURS}, bias=-FROM / (1 - FROM))
    wire(fusion.local[1], {0: dict.fromkeys(COLOURS, 1 / 3)})
    wire(fusion.merge, {0: {0: 1.0}})
    share = SHARE * LIFT ** (1 / CODE_GAMMA)
    logit = math.log(share / (1 - share)) - math.log(SHARE / (1 - SHARE))
    wire(fusion.masks, {1: {0: logit}}, bias=math.log(SHARE))
