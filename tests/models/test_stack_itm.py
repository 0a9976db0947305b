"""What the parts of stack-itm promise, equation by equation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from openhdr import models
from openhdr.color.transfer import srgb_decode
from openhdr.models.layers.exposure_fusion import debevec_fusion
from openhdr.models.layers.swin import SwinBlock, from_windows, to_windows
from openhdr.models.stack_itm import CrossModelAttention, give_mean

VARIANTS = [
    {},
    {"exposure_block": False},
    {"luminance_guided": False},
    {"cross_attention": "own"},
    {"cross_attention": "none"},
    {"fusion": "debevec"},
    {"measured": "kept"},
]


def net_of(**variant) -> torch.nn.Module:
    torch.manual_seed(3)
    return models.load("stack-itm", **variant)


def photo(height: int = 40, width: int = 56, batch: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.rand(batch, 3, height, width, generator=generator)


def parts_of(net: torch.nn.Module, image: torch.Tensor, view: torch.Tensor | None = None) -> dict:
    with torch.no_grad():
        return net(image, return_parts=True, view=view)


@pytest.fixture(scope="module")
def whole() -> tuple[torch.nn.Module, torch.Tensor, dict]:
    net, image = net_of(), photo()
    return net, image, parts_of(net, image)


def test_small_enough_to_ship() -> None:
    assert sum(p.numel() for p in net_of().parameters()) <= 7_000_000


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_variant_takes_any_size(variant: dict) -> None:
    net = net_of(**variant)
    for size in ((1, 1), (37, 50)):
        parts = parts_of(net, photo(*size))
        assert parts["out"].shape == parts["exposure_up"].shape == (1, 3, *size)
        assert torch.isfinite(parts["out"]).all() and (parts["out"] >= 0).all()


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_gradients_reach_every_parameter(variant: dict) -> None:
    net = net_of(**variant).train()
    parts = net(photo(batch=2), return_parts=True)
    images = [image for side in ("up", "down") for image in parts[f"progressive_{side}"]]
    (parts["out"].mean() + sum(image.square().mean() for image in images)).backward()
    idle = [key for key, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    if variant.get("cross_attention") == "own":  # nothing comes from the opposite model, save biases
        idle = [key for key in idle if ".reduce.1.weight" not in key]
    assert idle == []


def test_ablations_leave_parts_out() -> None:
    def names(**variant) -> str:
        return " ".join(net_of(**variant).state_dict())

    assert not {"exposure_block", "styles", "decode_up.fuse"} & set(names(exposure_block=False).split("."))
    assert "attend" in names() and "attend" not in names(cross_attention="none")
    assert "fusion" in names() and "fusion" not in names(fusion="debevec")


def test_parts_have_the_papers_shapes(whole: tuple) -> None:
    parts = whole[2]
    for side in ("up", "down"):
        sizes = [tuple(image.shape[-2:]) for image in parts[f"progressive_{side}"]]
        assert sizes == [(3, 4), (6, 8), (12, 16), (24, 32), (48, 64)]  # five scales, padded to 16s
        assert len(parts[f"styles_{side}"]) == len(parts[f"decoded_{side}"]) == 4
        assert [len(maps) for maps in parts[f"attention_{side}"]] == [2] * 5


# --- luminance-guided convolution ---------------------------------------------------------------------------


def test_guides_hide_the_opposite_end() -> None:
    """Down: black counts for nothing. Up: white counts for nothing. Seen at the first convolution."""
    net = net_of(cross_attention="none")
    bias = [
        torch.nn.functional.leaky_relu(e.convs[0].conv.bias, 0.1) for e in (net.encode_up, net.encode_down)
    ]
    white, black = (parts_of(net, torch.full((1, 3, 16, 16), level)) for level in (1.0, 0.0))
    torch.testing.assert_close(white["encoded_up"][0][0, :, 8, 8], bias[0])
    torch.testing.assert_close(black["encoded_down"][0][0, :, 8, 8], bias[1])
    assert (white["encoded_down"][0][0, :, 8, 8] - bias[1]).abs().max() > 0.01


# --- cross-model attention ----------------------------------------------------------------------------------


def test_attention_maps_are_shares() -> None:
    block = CrossModelAttention(16)
    current, opposite = torch.randn(2, 1, 16, 20, 20).unbind()
    out, m_cur, m_ref = block(current, opposite)
    assert out.shape == current.shape
    for one in (m_cur, m_ref):
        assert one.shape == (1, 1, 20, 20) and (one > 0).all() and (one < 1).all()


def test_opposite_features_matter() -> None:
    """Zeroing them changes the encoder: at every level of both models."""
    crossed, own = net_of(), net_of(cross_attention="own")
    own.load_state_dict(crossed.state_dict())
    a, b = parts_of(crossed, photo()), parts_of(own, photo())
    for side, level in itertools.product(("up", "down"), range(5)):
        assert not torch.allclose(a[f"encoded_{side}"][level], b[f"encoded_{side}"][level], atol=1e-4)


def test_attention_reaches_far_but_not_beyond_its_dilation() -> None:
    block = CrossModelAttention(16).eval()
    block.attention = torch.nn.Identity()  # the mean over the channel would reach everywhere
    current, opposite = torch.randn(2, 1, 16, 40, 40).unbind()
    changed = opposite.clone()
    changed[..., 20, 20] += 1
    with torch.no_grad():
        difference = (block(current, changed)[0] - block(current, opposite)[0]).abs().amax((0, 1))
    rows = difference.amax(1).nonzero().flatten()
    assert rows.min() == 20 - 13 and rows.max() == 20 + 13


# --- exposure adaptive block --------------------------------------------------------------------------------


def test_what_the_exposure_block_sees_changes_styles(whole: tuple) -> None:
    net, image, parts = whole
    other = parts_of(net, image, view=torch.zeros(1, 3, 256, 256))
    for side in ("up", "down"):
        for a, b in zip(parts[f"styles_{side}"], other[f"styles_{side}"], strict=True):
            assert not torch.allclose(a, b, atol=1e-5)
        for a, b in zip(parts[f"encoded_{side}"], other[f"encoded_{side}"], strict=True):
            # the encoder does not look at it; threads may add in another order
            torch.testing.assert_close(a, b, rtol=0, atol=1e-6)
    assert not torch.allclose(parts["out"], other["out"])


def test_default_view_is_the_photo_resized(whole: tuple) -> None:
    net, image, parts = whole
    view = torch.nn.functional.interpolate(image, size=(256, 256), mode="bilinear")
    torch.testing.assert_close(parts_of(net, image, view=view)["out"], parts["out"], rtol=0, atol=1e-5)


def test_decoder_channels_have_the_styles_as_means(whole: tuple) -> None:
    parts = whole[2]
    for side in ("up", "down"):
        for features, style in zip(parts[f"decoded_{side}"], parts[f"styles_{side}"], strict=True):
            torch.testing.assert_close(features.mean((2, 3)), style, rtol=0, atol=1e-5)


def test_styles_are_a_chain(whole: tuple) -> None:
    net, _, parts = whole
    styles = parts["styles_up"]
    for linear, before, after in zip(net.decode_up.styles.linear[1:], styles, styles[1:], strict=False):
        torch.testing.assert_close(linear(before), after)


def test_give_mean_keeps_the_spread() -> None:
    x, mean = torch.randn(2, 5, 7, 9), torch.randn(2, 5)
    y = give_mean(x, mean)
    torch.testing.assert_close(y.mean((2, 3)), mean, rtol=0, atol=1e-5)
    torch.testing.assert_close(y.std((2, 3)), x.std((2, 3)))


def test_block_is_shared(whole: tuple) -> None:
    """One block for both models: its parameters appear once."""
    net = whole[0]
    owners = [name for name, _ in net.named_children() if "exposure_block" in name]
    assert owners == ["exposure_block"]


# --- swin -----------------------------------------------------------------------------------------------------


def test_windows_round_trip() -> None:
    x = torch.randn(2, 16, 24, 5)
    windows = to_windows(x, 8)
    assert windows.shape == (2 * 2 * 3, 64, 5)
    assert torch.equal(windows[1, 9], x[0, 1, 9])  # second window, second row, second pixel
    assert torch.equal(from_windows(windows, 8, 16, 24), x)


@pytest.mark.parametrize(("shifted", "reached"), [(False, range(8, 16)), (True, range(4, 12))])
def test_attention_stays_within_its_window(shifted: bool, reached: range) -> None:
    torch.manual_seed(0)
    block = SwinBlock(8, 2, 8, shifted)
    x = torch.randn(1, 8, 24, 24)
    changed = x.clone()
    changed[:, 0, 9, 9] += 3  # one channel: the normalisation removes what all share
    with torch.no_grad():
        difference = (block(changed) - block(x)).abs().amax((0, 1)) > 1e-6
    assert difference.amax(1).nonzero().flatten().tolist() == list(reached)
    assert difference.amax(0).nonzero().flatten().tolist() == list(reached)


def test_shifting_does_not_join_opposite_borders() -> None:
    torch.manual_seed(0)
    block = SwinBlock(8, 2, 8, shifted=True)
    x = torch.randn(1, 8, 24, 24)
    changed = x.clone()
    changed[:, 0, 0, 0] += 3
    with torch.no_grad():
        difference = (block(changed) - block(x)).abs().amax((0, 1)) > 1e-6
    assert difference.amax(1).nonzero().flatten().tolist() == [0, 1, 2, 3]


# --- fusion -----------------------------------------------------------------------------------------------------


def test_masks_sum_to_one_and_blend(whole: tuple) -> None:
    _, image, parts = whole
    masks = parts["masks"]
    torch.testing.assert_close(masks.sum(1), torch.ones_like(masks[:, 0]))
    assert (masks >= 0).all()
    up, mid, down = masks.split(1, 1)
    blend = up * parts["exposure_up"] + mid * image + down * parts["exposure_down"]
    torch.testing.assert_close(parts["fused"], blend)


def test_curve_is_the_cubic(whole: tuple) -> None:
    parts = whole[2]
    a = parts["curve"][0].double().numpy()
    fused = parts["fused"].double().numpy()
    np.testing.assert_allclose(
        parts["out"].numpy(), np.maximum(np.polyval(a[::-1], fused), 0), rtol=0, atol=1e-6
    )


def test_curve_begins_as_the_srgb_curve(whole: tuple) -> None:
    code = np.linspace(0, 1, 501)
    curve = whole[2]["curve"][0].double().numpy()
    assert np.abs(np.polyval(curve[::-1], code) - srgb_decode(code)).max() < 0.002


def test_debevec_recovers_a_known_scene() -> None:
    """Three exposures of known light: EVs are measured, the merged light is right where any is exposed well."""
    light = torch.rand(1, 3, 60, 60).pow(2) * 3.5 + 0.01
    codes = [torch.from_numpy(_encode((light * 2.0**ev).clamp(0, 1).numpy())) for ev in (2.0, 0.0, -2.0)]
    parts = debevec_fusion(*codes)
    torch.testing.assert_close(parts["ev"], torch.tensor([[2.0, -2.0]]), rtol=0, atol=0.01)
    torch.testing.assert_close(parts["out"], light, rtol=0.02, atol=1e-4)


def test_debevec_without_any_well_exposed_pixel_is_finite() -> None:
    for level in (0.0, 1.0):
        flat = torch.full((1, 3, 4, 4), level)
        parts = debevec_fusion(flat, flat, flat)
        assert torch.isfinite(parts["out"]).all()
        torch.testing.assert_close(parts["out"], flat)


def _encode(light: np.ndarray) -> np.ndarray:
    from openhdr.color.transfer import srgb_encode

    return srgb_encode(light).astype(np.float32)
