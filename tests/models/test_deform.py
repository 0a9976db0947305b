"""Deformable convolution: against a literal loop in double precision and first principles; its gradient."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from openhdr import models
from openhdr.models import adnet
from openhdr.models.layers import deform
from openhdr.models.layers.deform import SAMPLES_AT_ONCE, DeformConv, deform_conv2d


def drawn(
    batch: int, channels: int, groups: int, height: int, width: int, spread: float
) -> list[torch.Tensor]:
    """x, offset, mask, weight, bias in double precision."""
    generator = torch.Generator().manual_seed(3)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return [
        normal(batch, channels, height, width),
        normal(batch, 18 * groups, height, width) * spread,
        torch.sigmoid(normal(batch, 9 * groups, height, width)),
        normal(5, channels, 3, 3),
        normal(5),
    ]


def literal(x, offset, mask, weight, bias) -> np.ndarray:
    """The definition, one number at a time."""
    x, offset, mask, weight, bias = (tensor.numpy() for tensor in (x, offset, mask, weight, bias))
    batch, channels, height, width = x.shape
    groups = mask.shape[1] // 9
    out = np.zeros((batch, len(weight), height, width))

    def bilinear(plane: np.ndarray, y: float, z: float) -> float:
        total = 0.0
        for i, j in itertools.product((math.floor(y), math.floor(y) + 1), (math.floor(z), math.floor(z) + 1)):
            if 0 <= i < height and 0 <= j < width:
                total += plane[i, j] * (1 - abs(y - i)) * (1 - abs(z - j))
        return total

    for b, o, i, j in np.ndindex(out.shape):
        total = bias[o]
        for c, k in itertools.product(range(channels), range(9)):
            g = c // (channels // groups)
            y = i + k // 3 - 1 + offset[b, 18 * g + 2 * k, i, j]
            z = j + k % 3 - 1 + offset[b, 18 * g + 2 * k + 1, i, j]
            total += weight[o, c, k // 3, k % 3] * mask[b, 9 * g + k, i, j] * bilinear(x[b, c], y, z)
        out[b, o, i, j] = total
    return out


@pytest.mark.parametrize("spread", [0.7, 4.0])  # 4: many samples outside the image
def test_is_the_literal_sum(spread: float) -> None:
    inputs = drawn(2, 6, 3, 5, 7, spread)
    np.testing.assert_allclose(deform_conv2d(*inputs).numpy(), literal(*inputs), rtol=0, atol=1e-12)


def test_single_precision_keeps_six_digits() -> None:
    inputs = drawn(1, 8, 2, 9, 8, 2.0)
    out = deform_conv2d(*(tensor.float() for tensor in inputs))
    np.testing.assert_allclose(out.numpy(), literal(*inputs), rtol=0, atol=2e-5)


def test_zero_offsets_are_a_plain_convolution() -> None:
    x, offset, mask, weight, bias = drawn(1, 6, 3, 8, 9, 0.0)
    out = deform_conv2d(x, offset, torch.ones_like(mask), weight, bias)
    torch.testing.assert_close(out, F.conv2d(x, weight, bias, padding=1))


def test_whole_offsets_shift_the_image() -> None:
    x, offset, mask, weight, bias = drawn(1, 6, 3, 8, 9, 0.0)
    offset[:, 0::2], offset[:, 1::2] = 2.0, -1.0
    out = deform_conv2d(x, offset, torch.ones_like(mask), weight, bias)
    moved = F.pad(x, (4, 4, 4, 4))[:, :, 5:15, 2:13]  # two down, one to the left, with a border of one
    torch.testing.assert_close(out, F.conv2d(moved, weight, bias))


def test_far_samples_are_zero() -> None:
    x, offset, mask, weight, bias = drawn(1, 6, 3, 4, 4, 0.0)
    out = deform_conv2d(x, offset + 1e6, mask, weight, bias)
    torch.testing.assert_close(out, bias.view(1, -1, 1, 1).expand_as(out))


def test_gradients() -> None:
    inputs = [tensor.requires_grad_() for tensor in drawn(1, 2, 1, 2, 3, 0.8)]
    assert torch.autograd.gradcheck(deform_conv2d, inputs, atol=1e-6)


def test_chunks_of_rows_make_no_difference() -> None:
    rows = SAMPLES_AT_ONCE // (72 * 64) + 20  # more than one chunk
    inputs = [tensor.float() for tensor in drawn(1, 8, 8, rows, 64, 3.0)]
    chunked = deform_conv2d(*inputs)
    with torch.enable_grad():
        at_once = deform_conv2d(*(tensor.requires_grad_() for tensor in inputs))
    torch.testing.assert_close(chunked, at_once.detach(), rtol=0, atol=1e-5)


def test_a_part_of_the_output_from_a_larger_input() -> None:
    x, offset, mask, weight, bias = drawn(1, 6, 3, 12, 14, 1.0)
    whole = deform_conv2d(x, offset, mask, weight, bias)
    part = deform_conv2d(x, offset[..., 3:8, 5:9], mask[..., 3:8, 5:9], weight, bias, origin=(3, 5))
    torch.testing.assert_close(part, whole[..., 3:8, 5:9])


def test_half_precision_samples_in_single() -> None:
    inputs = drawn(1, 8, 2, 40, 40, 3.0)
    out = deform_conv2d(*(tensor.bfloat16() for tensor in inputs))
    exact = deform_conv2d(*(tensor.bfloat16().double() for tensor in inputs))
    assert out.dtype == torch.bfloat16
    assert ((out.double() - exact).abs() / (exact.abs() + 1)).max() < 0.01


def test_layer_starts_as_half_a_convolution() -> None:
    layer = DeformConv(8, 4, 2)
    x = torch.randn(1, 8, 6, 6)
    torch.testing.assert_close(layer(x, x), F.conv2d(x, layer.weight, padding=1) / 2, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_layer_without_offsets_is_a_convolution_of_any_part() -> None:
    layer = DeformConv(8, 4, 2)
    x = torch.randn(2, 8, 12, 14)
    for (top, left), (height, width) in {(0, 0): (12, 14), (3, 5): (6, 7), (4, 0): (8, 5)}.items():
        offset, mask = torch.zeros(2, 36, height, width), torch.full((2, 18, height, width), 0.5)
        exact = deform_conv2d(x, offset, mask, layer.weight, layer.bias, (top, left))
        torch.testing.assert_close(layer(x, torch.randn(2, 8, height, width), (top, left)), exact)


def test_layer_with_frozen_offsets_learns_and_never_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = DeformConv(8, 4, 2), torch.randn(1, 8, 6, 6)
    layer(x, x).square().mean().backward()
    sampled = layer.weight.grad
    layer.weight.grad = None
    layer.predict.requires_grad_(False)
    monkeypatch.setattr(deform, "deform_conv2d", lambda *_: pytest.fail("sampled"))
    layer(x, x).square().mean().backward()
    torch.testing.assert_close(layer.weight.grad, sampled)


@torch.no_grad()
def test_layer_that_learned_one_offset_samples() -> None:
    layer, x = DeformConv(8, 4, 2), torch.randn(1, 8, 6, 6)
    before = layer(x, x)
    layer.predict.bias[0] = 0.5
    assert not torch.allclose(layer(x, x), before)


@torch.no_grad()
def test_guides_of_a_network_that_moves_nothing_are_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(5)
    net = models.load("adnet", dense_layers=1).eval()
    net.fuse.output[2].bias += 0.5  # off the floor of its ReLU
    frames, ev = torch.rand(1, 3, 3, 24, 24), torch.tensor([[-2.0, 0.0, 2.0]])
    guided = []
    offsets = adnet.AlignLevel.offsets
    monkeypatch.setattr(adnet.AlignLevel, "offsets", lambda *inputs: guided.append(1) or offsets(*inputs))
    plain = net(frames, ev)
    assert not guided
    net.align.quarter_scale.deform.predict.bias[0] = 0.5  # the finer scales' guides are made of this one's
    net(frames, ev)
    assert len(guided) == 6
    net.align.quarter_scale.deform.predict.bias[0] = 0
    monkeypatch.setattr(DeformConv, "still", lambda layer: False)
    torch.testing.assert_close(net(frames, ev), plain)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # PyTorch's exporter warns of itself
def test_export_to_onnx(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    torch.manual_seed(4)
    layer = DeformConv(8, 4, 2).eval()
    torch.nn.init.normal_(layer.predict.weight, std=0.3)
    x, guide = torch.randn(1, 8, 12, 16), torch.randn(1, 8, 12, 16)
    torch.onnx.export(layer, (x, guide), tmp_path / "layer.onnx", dynamo=True, verbose=False)
    session = runtime.InferenceSession(tmp_path / "layer.onnx")
    names = [value.name for value in session.get_inputs()]
    out = session.run(None, dict(zip(names, (x.numpy(), guide.numpy()), strict=True)))[0]
    with torch.no_grad():
        np.testing.assert_allclose(out, layer(x, guide).numpy(), rtol=1e-4, atol=1e-5)
