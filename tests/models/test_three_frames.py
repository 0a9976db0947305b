"""The runner gives what the network gives on the whole image, in any number of parts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from openhdr.color.transfer import NETWORK_GAMMA
from openhdr.core.errors import RequestError
from openhdr.core.progress import listening
from openhdr.models.inference import three_frames, tiling
from openhdr.models.inference.run_options import RunOptions
from openhdr.models.inference.selection import choose_three
from openhdr.models.inference.three_frames import reconstruct, run
from openhdr.models.layers import blocks

EV = (-2.0, 0.0, 2.0)
Make = Callable[..., torch.nn.Module]


def frames(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(5).random((3, height, width, 3), np.float32)


def direct(net: torch.nn.Module, photos: np.ndarray, ev: tuple[float, ...] = EV) -> np.ndarray:
    """What the contract says, without the runner."""
    shift = ev[0] if net.bounded else 0.0
    with torch.no_grad():
        image = net(torch.from_numpy(photos).permute(0, 3, 1, 2)[None], torch.tensor([ev]) - shift)
    return image[0].permute(1, 2, 0).numpy() * 2 ** (-shift / NETWORK_GAMMA)


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles and parts so small that a test image has many."""
    monkeypatch.setattr(tiling.Tiled, "_side", lambda self, margin, channels: 32)
    monkeypatch.setattr(three_frames, "TILE_BYTES", 0)


def test_tiles_equal_the_whole_image(small_tiles: None, untrained: Make, variant: tuple[str, dict]) -> None:
    net = untrained(*variant)
    photos = frames(61, 75)
    out = run(net, photos, EV, RunOptions(threads=2))
    np.testing.assert_allclose(out, direct(net, photos), rtol=0, atol=1e-5)


@pytest.mark.slow
def test_parts_equal_the_whole_image(small_tiles: None, untrained: Make, merger: str) -> None:
    if merger == "safnet":
        pytest.skip("it looks for motion at sizes that depend on the image's")
    net = untrained(merger)
    net.margin = min(net.margin, 80)  # EAPNet's and ADNet's full reach would need a far larger image
    photos = frames(110, 330)
    seen = (110 + 20) * (2 * net.margin + 100)
    options = RunOptions(memory=(seen * net.bytes_per_pixel + 48 * 144 * 360) / 1e9)
    size = tuple(length + -length % net.multiple for length in photos.shape[1:3])
    assert len(three_frames._parts(net, size, options.memory * 1e9 - 48 * size[0] * size[1])) > 1
    np.testing.assert_allclose(run(net, photos, EV, options), direct(net, photos), rtol=0, atol=1e-4)


def test_parts_share_the_mean_over_the_image(small_tiles: None, untrained: Make) -> None:
    net = untrained("gsanet")
    photos = frames(40, 400)
    options = RunOptions(memory=(40 * 300 * net.bytes_per_pixel + 48 * 40 * 400) / 1e9)
    assert len(three_frames._parts(net, (40, 400), options.memory * 1e9 - 48 * 40 * 400)) == 2
    np.testing.assert_allclose(run(net, photos, EV, options), direct(net, photos), rtol=0, atol=1e-5)


@pytest.mark.slow
def test_nothing_beyond_the_margin_reaches_a_pixel(untrained: Make, merger: str) -> None:
    """By the gradient of one output pixel. The mean over GSANet's image is held."""
    net = untrained(merger)
    if merger in ("adnet", "safnet"):
        pytest.skip("its reach depends on the motion that it predicts")
    side = 2 * net.margin + 3 * 24
    photos = torch.rand(1, 3, 3, 48, side, requires_grad=True)
    given = {"mean": torch.zeros(1, 32, 1, 1)} if net.survey_steps else {}
    middle = side // 2
    net(photos, torch.tensor([EV]), **given)[0, :, 20, middle].sum().backward()
    touched = photos.grad.abs().sum((0, 1, 2, 3)).nonzero().flatten()
    assert middle - net.margin <= int(touched.min()) and int(touched.max()) <= middle + net.margin


def test_progress_counts_to_its_total(untrained: Make, merger: str) -> None:
    counts = []

    @contextmanager
    def listener(label: str, total: int):
        done = []
        yield lambda: done.append(1)
        counts.append((len(done), total))

    with listening(listener):
        run(untrained(merger), frames(40, 40), EV)
    assert counts[0][0] == counts[0][1] > 0


def test_augmentation_is_the_mean_of_four_views(untrained: Make) -> None:
    net = untrained("gsanet")
    photos = frames(40, 56)
    views = [
        direct(net, photos),
        direct(net, photos.transpose(0, 2, 1, 3).copy()).transpose(1, 0, 2),
        direct(net, photos[:, :, ::-1].copy())[:, ::-1],
        direct(net, photos[:, ::-1].copy())[::-1],
    ]
    out = run(net, photos, EV, RunOptions(augment=True))
    np.testing.assert_allclose(out, np.mean(views, 0), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["gsanet", "eapnet-light"])
def test_bfloat16_is_near(untrained: Make, name: str) -> None:
    net = untrained(name)
    photos = frames(48, 64)
    out = run(net, photos, EV, RunOptions(precision="bfloat16"))
    assert out.dtype == np.float32
    assert np.abs(out - direct(net, photos)).max() < 0.05


def test_threads_are_given_back(untrained: Make) -> None:
    before = torch.get_num_threads()
    run(untrained("gsanet"), frames(32, 32), EV, RunOptions(threads=1))
    assert torch.get_num_threads() == before


def test_bounded_networks_see_evs_relative_to_the_shortest(untrained: Make) -> None:
    """AHDRNet's 1 must mean that the short frame clips: 4 times the reference's light at -2 EV."""
    net = untrained("ahdrnet")
    with torch.no_grad():
        net.output[-1].bias += 100  # the sigmoid gives 1 everywhere
    out = reconstruct(net, list(frames(24, 24)), (3.0, 1.0, 5.0))
    np.testing.assert_allclose(out, 4.0, rtol=1e-4)


def test_reconstruct_linearises(untrained: Make) -> None:
    net = untrained("gsanet")
    linear = frames(40, 40) * 1.2  # some of it clips
    out = reconstruct(net, list(linear), (0.0, 2.0, 4.5))
    coded = np.clip(linear, 0, 1) ** np.float32(1 / NETWORK_GAMMA)
    expected = direct(net, coded, (-2.0, 0.0, 2.5)) ** NETWORK_GAMMA
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("ev", "reference", "chosen"),
    [
        ((-2, 0, 2), None, (0, 1, 2)),
        ((2, 0, -2), None, (2, 1, 0)),
        ((-4, -2, 0, 2, 4), None, (1, 2, 3)),
        ((-3, -1, 0, 1, 3), None, (0, 2, 3)),  # long: two stops are as near to 1 as to 3, the first counts
        ((-4, -3, -2, -1, 0, 1, 2, 3, 4), None, (1, 4, 6)),
        ((-5, -2.9, 0, 4, 5), None, (1, 2, 3)),
        ((0, 1, 2, 3), None, (0, 1, 3)),
        ((-4, -2, 0, 2, 4), 3, (2, 3, 4)),
        ((-6, -5, 0, 1), 2, (1, 2, 3)),
    ],
)
def test_choice_of_three(ev: tuple[float, ...], reference: int | None, chosen: tuple[int, ...]) -> None:
    assert choose_three(ev, reference) == chosen


@pytest.mark.parametrize(
    ("ev", "reference", "message"),
    [
        ((0, 2), None, "has 2 frames, but this network needs three"),
        ((0, 1, 2), 0, "no frame has a shorter exposure than frame 1"),
        ((0, 1, 2), 2, "no frame has a longer exposure than frame 3"),
        ((1, 1, 1), None, "exposure than frame"),
    ],
)
def test_brackets_that_do_not_suit(ev: tuple[float, ...], reference: int | None, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        choose_three(ev, reference)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: RunOptions(memory=0), "above 0"),
        (lambda net: RunOptions(precision="int8"), "choose one of: auto, float32, bfloat16"),
        (lambda net: run(net, frames(8, 8)[:2], EV), "expected"),
        (lambda net: run(net, frames(8, 8) * np.nan, EV), "not finite"),
        (lambda net: run(net, frames(8, 8), (0, np.inf, 1)), "finite"),
        (lambda net: run(net, frames(8, 8), EV, RunOptions(device="cuda:99")), "use cpu"),
        (lambda net: run(net, frames(99, 99), EV, RunOptions(memory=1e-6)), "GB more"),
    ],
)
def test_requests_that_cannot_be_met(untrained: Make, call: Callable, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        call(untrained("gsanet"))


@pytest.mark.parametrize("layers", [1, 3, 6])
def test_dense_block_without_stacks_is_the_same(layers: int) -> None:
    torch.manual_seed(6)
    block = blocks.DilatedDenseBlock(32, 16, layers).eval()
    x = torch.randn(2, 32, 20, 24)
    with torch.no_grad():
        expected = block(x)
        block.fused = True
        torch.testing.assert_close(block(x), expected, rtol=1e-5, atol=1e-5)


def test_windows_cover_an_image_once() -> None:
    count = np.zeros((75, 131), int)
    for window in tiling.windows((75, 131), (32, 40), 5):
        count[window.top : window.bottom, window.left : window.right] += 1
        assert window.top % tiling.ALIGNMENT == 0 and window.left % tiling.ALIGNMENT == 0
    assert (count == 1).all()
