"""Networks that begin as a plain method do what the formula says, and learn from there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from openhdr.color.transfer import NETWORK_GAMMA, srgb_encode
from openhdr.core.errors import FileError, RequestError
from openhdr.models import MODELS, load
from openhdr.train.hand_wired import (
    GATE,
    INITIALISATIONS,
    KNEE,
    LIFT,
    LONG_KNEE,
    LONG_SHARE,
    STEP,
    hand_wired_numbers,
    initialised_network,
)
from openhdr.train.hand_wired.stack_itm import UNITS
from openhdr.train.loop import train

from .conftest import same_weights, weights_of

EV = (-2.0, 0.0, 2.0)
NEAR = {"gsanet": 1e-3, "adnet": 1e-4}  # an attention passes 98 % of what says that the long frame clips


def _bracket(size: int, seed: int = 0, moved: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Frames (3, 3, size, size) gamma-coded with noise, and light of which a fifth is above 1."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size
    light = np.stack([0.01 + 1.6 * ((np.sin(6 * x + c) + np.cos(5 * y - c)) / 2) ** 4 for c in range(3)])
    frames = []
    for ev in EV:
        seen = np.roll(light, 5, 2) if moved and ev else light
        frames.append(np.clip(seen * 2**ev * (1 + 0.02 * rng.standard_normal(light.shape)), 0, 1))
    return np.stack(frames).astype(np.float32) ** np.float32(1 / NETWORK_GAMMA), light


def _formula(frames: np.ndarray) -> np.ndarray:
    """The package's docstring in NumPy: gamma-coded (3, H, W)."""
    short, m, long = (frame * 2 ** (-ev / NETWORK_GAMMA) for frame, ev in zip(frames, EV, strict=True))
    taken = np.maximum(short - 1 - GATE * np.maximum(KNEE - m, 0), 0)
    shut = GATE * np.maximum(frames[2] * 1 - LONG_KNEE, 0)
    noise = long - m

    def clip(x: np.ndarray) -> np.ndarray:
        return np.clip(x - shut, 0, STEP)

    return m + taken + LONG_SHARE * (clip(noise) - clip(-noise))


def _begun(name: str) -> torch.nn.Module:
    torch.manual_seed(1)
    return initialised_network(name, "hand-wired", {})


def _result(net: torch.nn.Module, frames: np.ndarray) -> np.ndarray:
    ev = torch.tensor([EV]) - (EV[0] if net.bounded else 0)
    with torch.no_grad():
        out = net(torch.from_numpy(frames)[None], ev)[0].numpy()
    return out * 2 ** (-EV[0] / NETWORK_GAMMA) if net.bounded else out


def _decibels(code: np.ndarray, light: np.ndarray) -> float:
    top = 2.0 ** -EV[0]
    a, b = (np.log1p(5000 * np.clip(x / top, 0, 1)) / np.log(5001) for x in (code**NETWORK_GAMMA, light))
    return float(-10 * np.log10(np.mean((a - b) ** 2)))


def test_every_network_can() -> None:
    """But for the merger's own, whose first weights are the classical merger."""
    assert set(INITIALISATIONS) == {row.name for row in MODELS.values() if not row.inside and row.recipe}


@pytest.mark.parametrize("name", list(NEAR))
@pytest.mark.parametrize("moved", [False, True])
def test_networks_of_relus_are_the_formula(name: str, moved: bool) -> None:
    frames, _ = _bracket(24, moved=moved)
    middle = np.s_[:, 4:-4, 4:-4]  # at the border deformable sampling and the denoiser see zeros
    expected = _formula(frames)
    assert np.abs(_result(_begun(name), frames) - expected)[middle].max() < NEAR[name]


@pytest.mark.parametrize(("name", "least"), [("ahdrnet", 4), ("eapnet", 4), ("eapnet-light", 4)])
def test_others_come_near_and_beat_the_reference(name: str, least: float) -> None:
    frames, light = _bracket(48)
    alone, merged = _decibels(frames[1], light), _decibels(_result(_begun(name), frames), light)
    assert merged > alone + least
    assert merged > _decibels(_formula(frames), light) - 6


@pytest.mark.parametrize(("name", "error"), [("two-stage", 0.01), ("stack-itm", 0.05)])
def test_one_photo_passes_and_clipped_light_is_lifted(name: str, error: float) -> None:
    codes = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(1, 1, 64, 64).repeat(3, 1)
    codes[..., 56:] = 1
    net = _begun(name)
    with torch.no_grad():
        out = net(torch.from_numpy(codes)).numpy()
    light = out**NETWORK_GAMMA if net.encoding == "gamma" else out
    decoded = codes**NETWORK_GAMMA if net.encoding == "gamma" else _srgb(codes)
    assert light[..., -4:].mean() == pytest.approx(LIFT, abs=3 * error)
    below = codes < 0.94
    assert np.abs(light - decoded)[below].max() < error


def test_stack_itm_begins_with_exposures_of_the_photo() -> None:
    """Two stops longer and shorter, of greys and of colours that no encoder could tell apart alone."""
    y, x = np.mgrid[0:64, 0:64].astype(np.float32) / 64
    colours = np.stack([0.85 * x, 0.3 + 0.5 * y, 0.9 * (x + y) / 2])[None]
    with torch.no_grad():
        parts = _begun("stack-itm")(torch.from_numpy(colours), return_parts=True)
    for side, stops in (("up", 2), ("down", -2)):
        expected = srgb_encode(np.minimum(_srgb(colours) * 2.0**stops, 1))
        error = parts[f"exposure_{side}"].numpy() - expected
        assert -10 * np.log10(np.mean(error**2)) > 33


def test_a_run_begins_there(tiny, tmp_path: Path) -> None:
    changes = (
        "network.initialisation=hand-wired",
        "validation.every=2",
        "validation.scale=shortest",
        "run.length=1",
    )
    found = train(tiny("gsanet", *changes, "optimiser.lr=1e-6"), tmp_path / "plain")
    history = found["validation"]
    random = train(tiny("gsanet", *changes[1:], "optimiser.lr=1e-6"), tmp_path / "random")["validation"]
    assert history["ntire-psnr-mu"] > random["ntire-psnr-mu"] + 5


def test_a_run_goes_on_from_the_weights_of_another(tiny, tmp_path: Path) -> None:
    train(tiny("gsanet"), tmp_path / "one")
    last = tmp_path / "one" / "last.safetensors"
    still = (
        "optimiser.lr=1e-30",
        "network.initialisation=hand-wired",
        "run.length=1",
        f"network.weights={last}",
    )
    train(tiny("gsanet", *still), tmp_path / "two")
    assert same_weights(last, tmp_path / "two" / "last.safetensors")


def test_missing_weights_are_named(tiny, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"network\.weights"):
        train(tiny("gsanet", "network.weights=nowhere.safetensors"), tmp_path)


def _srgb(code: np.ndarray) -> np.ndarray:
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def test_what_is_set_by_hand_learns_at_its_own_rate(tiny, tmp_path: Path) -> None:
    """The last layer of GSANet is all set by hand, the second of its dense block comes from chance."""
    changes = (
        "network.initialisation=hand-wired",
        "run.length=3",
        "optimiser.lr=1e-3",
        "optimiser.hand_wired_lr_scale=0.01",
    )
    train(tiny("gsanet", *changes, "schedule.warmup_steps=0"), tmp_path)
    wired = hand_wired_numbers("gsanet", {"share_features": True})
    assert wired["output.2.weight"].all()
    assert not wired["dense_block.layers.1.weight"].any()
    folders = (tmp_path / "checkpoints").iterdir()
    first, last = (weights_of(folder / "net.safetensors") for folder in sorted(folders)[:: 3 - 1])
    moved = {name: (last[name] - first[name]).abs() for name in wired}
    assert max(moved[name][mask].max() for name, mask in wired.items() if mask.any()) < 2.2e-5
    assert max(moved[name][~mask].max() for name, mask in wired.items() if not mask.all()) > 5e-4


def test_coarse_images_of_stack_itm_are_not_slowed() -> None:
    """They begin at nothing, and are what may learn most; the curve of the finest one is set by hand."""
    wired = hand_wired_numbers("stack-itm", {})
    for side in ("up", "down"):
        finest = wired[f"decode_{side}.images.4.weight"]
        assert finest.sum() == 3 * UNITS
        for image in range(4):
            assert not wired[f"decode_{side}.images.{image}.weight"].any()


def test_eapnet_begins_as_its_light_version() -> None:
    frames, light = _bracket(48)
    torch.manual_seed(1)
    begun = _result(initialised_network("eapnet", "light", {}), frames)
    net = load("eapnet-light", "eapnet-light")
    assert _decibels(begun, light) > _decibels(_result(net, frames), light) - 3
    with pytest.raises(RequestError, match="'gsanet' has hand-wired"):
        initialised_network("gsanet", "light", {})
