"""stack-itm: see the package.

Either exposure begins as a curve over the photo: its code two stops longer or shorter, what clips LIFT times as bright.

- Curve: the guides multiply the photo by 1 - min and by max, which one encoder alone cannot undo. Its first attention
  sees both: a small perceptron over one pixel, fitted to the curve on random colours, the same each time, is spread
  over this attention and the last decoder block.
- Mean: the last decoder block replaces the mean of its features by a style. The exposure block passes the photo's
  codes above KNOTS, whose means over the picture add up to the mean of the curve.
- Fusion: the shorter exposure, and the cubic nearest to its light. More than four times the light of a clipped photo
  it cannot show.

The other weights are random, He et al.'s, because the guides make features small; they reach the exposures through
zeros. In the decoders and the fusion these zeros are random and tiny (NEARLY_ZERO): so they do not count as set by
hand, and learn at the full rate where `optimiser.hand_wired_lr_scale` slows what is.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.models.layers.blocks import leaky
from openhdr.models.layers.codes import linear_to_srgb, srgb_to_linear
from openhdr.models.layers.swin import SwinBlock
from openhdr.models.stack_itm import CrossModelAttention, Decoder, Encoder, StackITM
from openhdr.train.hand_wired import LIFT
from openhdr.train.hand_wired.wiring import COLOURS, wire

STOPS = {"up": 2, "down": -2}  # of the exposures beyond the photo
FROM = 0.95  # code from which light is lifted, more and more towards 1
KNOTS = (-0.001, 0.05, 0.12, 0.25, 0.4, 0.54, 0.75, FROM)  # 0.54: there the longer exposure clips
UNITS = 24  # of each hidden layer of the perceptron, spread over the four dilations of the attention
STEPS, COLOURS_A_STEP = 1500, 2048  # of its fit
SCORE = 3.0  # logit of the attention maps
NEARLY_ZERO = 1e-6
SHARES = (0.002, 0.02, 0.978)  # of the longer exposure, the photo and the shorter one in the blend


def initialise(net: StackITM) -> None:
    """Set the weights of the design with a learned fusion, cross attention and exposure block."""
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, 0.1)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    _pass_codes(net.exposure_block)
    models = {"up": (net.encode_up, net.decode_up), "down": (net.encode_down, net.decode_down)}
    for side, (encoder, decoder) in models.items():
        set_perceptron(encoder, decoder, *fitted_perceptron(side))
        set_styles(decoder, STOPS[side])
    _fuse(net)
    for part in (net.decode_up, net.decode_down, net.fusion):
        free_zeros(part)


@torch.no_grad()
def free_zeros(part: nn.Module) -> None:
    """Random, tiny numbers instead of zeros."""
    for parameter in part.parameters():
        tiny = NEARLY_ZERO * torch.randn_like(parameter)
        parameter.copy_(torch.where(parameter == 0, tiny, parameter))


def curve(code: torch.Tensor, stops: float) -> torch.Tensor:
    """sRGB codes 0..1 of a photo -> of an exposure so many stops longer; what clips is LIFT times as bright."""
    lift = 1 + (LIFT - 1) * ((code - FROM) / (1 - FROM)).clamp(0, 1)
    return linear_to_srgb(srgb_to_linear(code) * 2.0**stops * lift).clamp(max=1)


def guided(code: torch.Tensor) -> dict[str, torch.Tensor]:
    """(N, 3) codes as the encoder of either exposure is given them."""
    return {
        "up": code * (1 - code.amin(1, keepdim=True)),
        "down": code * code.amax(1, keepdim=True),
    }


def fitted_perceptron(side: str) -> list[nn.Linear]:
    """A perceptron from guided codes, the model's own and the other's, to the curve: (6 -> UNITS), (UNITS and the
    three own ones -> UNITS), (UNITS -> 3), LeakyReLU between.
    """
    random = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        layers = [nn.Linear(6, UNITS), nn.Linear(UNITS + 3, UNITS), nn.Linear(UNITS, 3)]
        parameters = [parameter for layer in layers for parameter in layer.parameters()]
        optimiser = torch.optim.Adam(parameters, betas=(0.9, 0.99))
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, STEPS)
        for _ in range(STEPS):
            grey, strength = torch.rand(2, COLOURS_A_STEP, 1, generator=random)
            tint = 0.3 * strength**2 * torch.randn(COLOURS_A_STEP, 3, generator=random)
            code = (1.1 * grey + tint).clamp(0, 1)  # as in photos: mostly pale, a tenth clipped
            seen = guided(code)
            own = seen.pop(side)
            hidden = leaky(layers[0](torch.cat((own, *seen.values()), 1)))
            image = layers[2](leaky(layers[1](torch.cat((hidden, own), 1))))
            loss = (image - curve(code, STOPS[side])).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return layers


@torch.no_grad()
def set_perceptron(
    encoder: Encoder, decoder: Decoder, first: nn.Linear, second: nn.Linear, last: nn.Linear
) -> None:
    """Its first layer is the attention of the finest level, the others are the last decoder block and its image."""
    attention = cast(CrossModelAttention, encoder.attend[0])
    width = attention.output.in_channels
    wire(encoder.convs[0].get_submodule("conv"), {c: {c: 1.0} for c in COLOURS})
    wire(encoder.convs[0].get_submodule("conv"), {3 + k: {} for k in range(UNITS)})
    for number in range(2):
        wire(attention.reduce[number], {c: {c: 1.0} for c in COLOURS})
        wire(attention.score[number], {0: {}}, bias=SCORE)
    seen = 1 / (1 + math.exp(-SCORE))
    each = UNITS // len(attention.dilated)
    for k in range(UNITS):
        weights = first.weight[k] / seen
        inputs = {
            place: float(weights[i]) for i, place in enumerate((0, 1, 2, *(width // 2 + c for c in COLOURS)))
        }
        branch, number = divmod(k, each)
        wire(attention.dilated[branch], {number: inputs}, bias=float(first.bias[k]))
        passed = branch * (width // len(attention.dilated)) + number
        wire(attention.output, {3 + k: {passed: 2.0}})  # the gate is a half
    wire(attention.output, {c: {} for c in COLOURS})
    gate = cast(nn.Linear, attention.attention.mlp[2])
    gate.weight.zero_()
    gate.bias.zero_()
    block = cast(nn.Conv2d, decoder.blocks[-1])
    skip = block.in_channels - width
    for k in range(UNITS):
        inputs = {skip + 3 + i: float(second.weight[k, i]) for i in range(UNITS)}
        inputs |= {skip + c: float(second.weight[k, UNITS + c]) for c in COLOURS}
        wire(block, {k: inputs}, bias=float(second.bias[k]))
    for parameter in decoder.images.parameters():
        parameter.zero_()
    for c in COLOURS:
        inputs = {k: float(last.weight[c, k]) for k in range(UNITS)}
        wire(decoder.images[-1], {c: inputs}, bias=float(last.bias[c]))


@torch.no_grad()
def _pass_codes(block: nn.Module) -> None:
    """The exposure block's first channels: relu(code - knot), of every knot three colours; Swin blocks add nothing."""
    first, *others = cast(list[nn.Conv2d], list(block.get_submodule("convs").children()))
    for k, knot in enumerate(KNOTS):
        wire(first, {3 * k + c: {c: 1.0} for c in COLOURS}, bias=-knot)
    for conv in others:
        wire(conv, {k: {k: 1.0} for k in range(3 * len(KNOTS))})
    for swin in block.get_submodule("blocks").children():
        assert isinstance(swin, SwinBlock)
        for last in (swin.attention.output, cast(nn.Linear, swin.mlp[2])):
            last.weight.zero_()
            last.bias.zero_()


@torch.no_grad()
def set_styles(decoder: Decoder, stops: float) -> None:
    """Styles: the mean of the curve from the means above knots, then what gives the image that mean."""
    ends = torch.tensor((*KNOTS, 1.0), dtype=torch.float64).clamp(min=0)
    slopes = curve(ends, stops).diff() / ends.diff()
    bends = slopes.diff(prepend=slopes.new_zeros(1))
    first, *between, last = cast(list[nn.Linear], list(decoder.styles.linear.children()))
    for linear in (first, *between):
        linear.weight[:3] = 0
        linear.bias[:3] = 0
    for c in COLOURS:
        for k, bend in enumerate(bends):
            first.weight[c, 3 * k + c] = bend
        for linear in between:
            linear.weight[c, c] = 1
    image = decoder.images[-1]
    assert isinstance(image, nn.Conv2d) and image.bias is not None
    inverse = torch.linalg.pinv(image.weight[:, :UNITS, 0, 0])
    last.weight[:UNITS] = 0
    last.weight[:UNITS, :3] = inverse
    last.bias[:UNITS] = -inverse @ image.bias


@torch.no_grad()
def _fuse(net: StackITM) -> None:
    for mask, share in enumerate(SHARES):
        wire(net.fusion.masks, {mask: {}}, bias=math.log(share))
    photo = torch.linspace(0, 1, 512, dtype=torch.float64)
    clipped = torch.linspace(float(curve(photo[-1:], STOPS["down"])), 1, 128, dtype=torch.float64)
    down = torch.cat((curve(photo, STOPS["down"]), clipped))
    light = 2.0 ** -STOPS["down"] * srgb_to_linear(down)
    photo = F.pad(photo, (0, len(clipped)), value=1.0)
    blend = SHARES[0] * curve(photo, STOPS["up"]) + SHARES[1] * photo + SHARES[2] * down
    powers = torch.stack([blend**k for k in range(4)], 1)
    weight = 1 / (0.02 + light)[:, None]
    solution = torch.linalg.lstsq(weight * powers, weight * light[:, None]).solution[:, 0]
    net.fusion.curve.weight.zero_()
    net.fusion.curve.bias.copy_(solution)
