"""Running one-photo networks on photos of any size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from openhdr import models
from openhdr.color.transfer import srgb_encode
from openhdr.core.errors import RequestError
from openhdr.models.inference import device, one_photo
from openhdr.models.inference.one_photo import expand_image
from openhdr.models.inference.run_options import RunOptions
from openhdr.models.layers.codes import linear_to_srgb, srgb_to_linear
from openhdr.models.layers.measured import FROM, TO

THREADS = RunOptions(threads=1, precision="float32")


def light(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    return rng.random((height, width, 3), dtype=np.float32)


def tensor(code: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(code.astype(np.float32)).permute(2, 0, 1)[None]


def test_two_stage_tiles_are_the_whole(rng: np.random.Generator, monkeypatch) -> None:
    torch.manual_seed(1)
    net = models.load("two-stage")
    photo = light(rng, 75, 90)
    with torch.no_grad():
        whole = net(tensor(photo ** (1 / 2.24)))[0].permute(1, 2, 0).numpy() ** 2.24
    monkeypatch.setattr(device, "TILE_PIXELS", 1024)
    monkeypatch.setattr("openhdr.models.inference.tiling.Tiled._side", lambda *_: 32)
    made = expand_image(net, photo, THREADS)
    assert made.linear.dtype == np.float32 and made.stack == ()
    np.testing.assert_allclose(made.linear, whole, rtol=1e-4, atol=1e-5)


def test_small_photos_are_what_stack_itm_gives(rng: np.random.Generator) -> None:
    torch.manual_seed(1)
    net = models.load("stack-itm")
    photo = light(rng, 45, 60)
    with torch.no_grad():
        parts = net(tensor(srgb_encode(photo)), return_parts=True)
    made = expand_image(net, photo, THREADS, keep_stack=True)
    pixels = {key: parts[key][0].permute(1, 2, 0).numpy() for key in ("out", "exposure_down", "masks")}
    np.testing.assert_allclose(made.linear, pixels["out"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(made.stack[1].code, pixels["exposure_down"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(made.masks, pixels["masks"], rtol=0, atol=1e-6)
    assert [one.name for one in made.stack] == ["up", "down"]
    assert made.stack[0].ev >= 0 >= made.stack[1].ev


@pytest.mark.parametrize("fusion", ["learned", "debevec"])
def test_large_photos_keep_their_detail(rng: np.random.Generator, monkeypatch, fusion: str) -> None:
    """A network that predicts the photo itself gives the photo's light at full size, though it saw a tenth."""
    net = _copying(fusion)
    photo = light(rng, 300, 200) * 0.9 + 0.05
    monkeypatch.setattr(one_photo, "WORK_PIXELS", 6000)
    monkeypatch.setattr(one_photo, "STRIP_ROWS", 64)
    made = expand_image(net, photo, THREADS, keep_stack=True)
    np.testing.assert_allclose(made.linear, photo, rtol=0, atol=0.003)
    np.testing.assert_allclose(made.stack[0].code, srgb_encode(photo), rtol=0, atol=1e-5)


def test_large_photos_have_shorter_exposures_without_halos(rng: np.random.Generator, monkeypatch) -> None:
    """A quarter of the light beside every edge, too, though a code's change depends on the code."""
    net = _copying("learned", share=0.25)
    photo = light(rng, 300, 200) * 0.9 + 0.05
    monkeypatch.setattr(one_photo, "WORK_PIXELS", 6000)
    made = expand_image(net, photo, THREADS, keep_stack=True)
    np.testing.assert_allclose(made.stack[1].code, srgb_encode(photo / 4), rtol=0, atol=0.01)


def _copying(fusion: str, share: float = 1.0) -> torch.nn.Module:
    """stack-itm whose exposure models give back what they see, or a share of its light."""
    net = models.load("stack-itm", fusion=fusion)
    forward = type(net).forward

    def copying(image: torch.Tensor, return_parts: bool = False, view: torch.Tensor | None = None) -> dict:
        parts = forward(net, image, return_parts=True, view=view)
        seen = linear_to_srgb(share * srgb_to_linear(image))
        parts["exposure_up"] = parts["exposure_down"] = seen
        if fusion == "debevec":
            parts["ev"] = torch.zeros_like(parts["ev"])
        return parts

    net.__dict__["forward"] = copying
    return net


def test_measured_light_can_be_kept(rng: np.random.Generator, monkeypatch) -> None:
    """Untrained, seen small and cut into strips: what the photo measured is exact, the rest is the network's."""
    torch.manual_seed(1)
    net = models.load("stack-itm", measured="kept")
    photo = light(rng, 120, 100)
    monkeypatch.setattr(one_photo, "WORK_PIXELS", 3000)
    monkeypatch.setattr(one_photo, "STRIP_ROWS", 50)
    made = expand_image(net, photo, THREADS).linear
    net.config = replace(net.config, measured="painted")
    painted = expand_image(net, photo, THREADS).linear
    below, above = photo < FROM, photo > TO
    np.testing.assert_allclose(made[below], photo[below], rtol=0, atol=1e-5)
    np.testing.assert_allclose(made[above], painted[above], rtol=0, atol=1e-5)
    assert np.abs(painted - photo)[below].max() > 0.1


def test_strips_join_without_a_seam(rng: np.random.Generator, monkeypatch) -> None:
    torch.manual_seed(1)
    net = models.load("stack-itm")
    photo = light(rng, 120, 100)
    monkeypatch.setattr(one_photo, "WORK_PIXELS", 3000)
    one = expand_image(net, photo, THREADS).linear
    monkeypatch.setattr(one_photo, "STRIP_ROWS", 17)
    np.testing.assert_allclose(expand_image(net, photo, THREADS).linear, one, rtol=0, atol=1e-6)


def test_bad_photos_are_refused() -> None:
    net = models.load("two-stage")
    with pytest.raises(RequestError, match="shape"):
        expand_image(net, np.zeros((4, 4), np.float32))
    with pytest.raises(RequestError, match="finite"):
        expand_image(net, np.full((4, 4, 3), np.nan, np.float32))
    with pytest.raises(RequestError, match="device 'nowhere'"):
        expand_image(net, np.zeros((4, 4, 3), np.float32), RunOptions(device="nowhere"))


@pytest.mark.parametrize(
    ("name", "variant", "parameters"),
    [
        ("two-stage", {"stages": "first"}, 555_655),
        ("two-stage", {"stages": "second"}, 278_821),
        ("stack-itm", {"exposure_block": False}, 5_873_937),
        ("stack-itm", {"luminance_guided": False}, 6_930_393),
        ("stack-itm", {"cross_attention": "own"}, 6_930_393),
        ("stack-itm", {"cross_attention": "none"}, 4_780_205),
        ("stack-itm", {"fusion": "debevec"}, 6_845_202),
    ],
)
def test_every_variant_of_the_guide_runs(
    rng: np.random.Generator, name: str, variant: dict, parameters: int
) -> None:
    net = models.load(name, **variant)
    assert sum(one.numel() for one in net.parameters()) == parameters
    made = expand_image(net, light(rng, 33, 21), THREADS, keep_stack=True)
    assert made.linear.shape == (33, 21, 3) and np.isfinite(made.linear).all() and made.linear.min() >= 0
    assert len(made.stack) == (2 if name == "stack-itm" else 0)
    assert (made.masks is None) == (name == "two-stage" or variant.get("fusion") == "debevec")


@pytest.mark.parametrize("name", ["two-stage", "expandnet"])
def test_augmentation_is_the_mean_of_four_views(name: str) -> None:
    """In the gamma-coded domain, as for brackets."""
    torch.manual_seed(2)
    net = models.load(name)
    photo = np.random.default_rng(3).random((20, 28, 3), np.float32)
    once = [
        expand_image(net, photo, THREADS).linear,
        expand_image(net, photo.transpose(1, 0, 2).copy(), THREADS).linear.transpose(1, 0, 2),
        expand_image(net, photo[:, ::-1].copy(), THREADS).linear[:, ::-1],
        expand_image(net, photo[::-1].copy(), THREADS).linear[::-1],
    ]
    wanted = np.mean([view ** (1 / 2.24) for view in once], axis=0) ** 2.24
    found = expand_image(net, photo, RunOptions(augment=True, precision="float32")).linear
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["two-stage", "stack-itm", "expandnet"])
@pytest.mark.parametrize("short", [True, False])
def test_products_are_short_where_the_processor_has_them(
    name: str, short: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In single precision elsewhere; what is short is near, and its smooth parts have no steps of eight bits."""
    torch.manual_seed(2)
    net = models.load(name)
    ramp = np.linspace(0.2, 0.6, 64, dtype=np.float32)[None, :, None] * np.ones((48, 1, 3), np.float32)
    exact, near = (
        expand_image(net, ramp, RunOptions(precision=one)).linear for one in ("float32", "bfloat16")
    )
    monkeypatch.setattr(one_photo, "multiplies_bfloat16", lambda options: short)
    assert np.array_equal(expand_image(net, ramp).linear, near if short else exact)
    assert 0 < np.abs(near - exact).max() < 0.03 * exact.max()
    assert len(np.unique(near)) > 0.5 * len(np.unique(exact))


def test_light_of_its_own_scale_is_put_on_the_photo_s() -> None:
    torch.manual_seed(2)
    photo = np.random.default_rng(3).uniform(0.1, 0.7, (24, 24, 3)).astype(np.float32)
    found = expand_image(models.load("expandnet"), photo).linear
    assert np.median(found / photo) == pytest.approx(1, rel=0.02)


def test_large_parts_are_the_whole_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(2)
    net = models.load("hdrunet")
    photo = np.random.default_rng(3).random((64, 320, 3), np.float32)
    whole = expand_image(net, photo).linear
    monkeypatch.setattr(net, "part", 96)
    np.testing.assert_allclose(expand_image(net, photo).linear, whole, rtol=1e-3, atol=1e-4)
