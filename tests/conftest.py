"""Fixtures that all tests share."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from openhdr import io
from openhdr.color.transfer import srgb_encode
from openhdr.core.image import Exposure, Image

SHARED = Path(__file__).resolve().parents[2] / "shared"
GOLDEN_PAIRS = (
    "p01_synth_gain",
    "p04_stfagans_clip",
    "p07_identity",
    "p09_venice_local",
    "p10_kiara_singleshot",
)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of golden values and scenes beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("needs the shared folder of golden values beside the repository")
    return SHARED


@pytest.fixture(scope="session")
def reference_values(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "fixtures" / "metrics" / "reference_values.json").read_text())


@pytest.fixture(scope="session", params=GOLDEN_PAIRS)
def golden(request: pytest.FixtureRequest, shared: Path, reference_values: dict[str, Any]) -> SimpleNamespace:
    """test, ref: float32 pictures; values: what the authors' programs say."""
    with np.load(shared / "fixtures" / "metrics" / f"{request.param}.npz") as stored:
        test, ref = stored["test"], stored["ref"]
    return SimpleNamespace(
        name=request.param, test=test, ref=ref, values=reference_values["pairs"][request.param]
    )


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say at the end what was skipped and why."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    if reasons:
        terminalreporter.section("not run here")
        for reason, count in reasons.most_common():
            terminalreporter.write_line(f"{count:4d} tests: {reason}")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20220613)


@pytest.fixture(scope="session")
def room() -> Callable[..., np.ndarray]:
    """`room(height, width, seed)`: (H, W, 3) float32 light of a textured scene over about ten stops.

    Patches of cloth and wall around 0.1, a few windows around 4, and texture of 15 % everywhere.
    """

    def make(height: int = 144, width: int = 208, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        light = np.full((height, width, 3), 0.05)
        for _ in range(60):
            left, top = rng.integers(0, width), rng.integers(0, height)
            right, bottom = left + rng.integers(4, width // 4), top + rng.integers(4, height // 4)
            light[top:bottom, left:right] = np.exp(rng.normal(-2.2, 1.0)) * (0.6 + 0.8 * rng.random(3))
        for _ in range(4):
            left, top = rng.integers(0, width - width // 7), rng.integers(0, height - height // 6)
            window = (slice(top, top + height // 6), slice(left, left + width // 7))
            light[window] = np.exp(rng.normal(1.2, 0.5)) * (0.8 + 0.4 * rng.random(3))
        cloth = cv2.GaussianBlur(rng.normal(size=(height, width)), (0, 0), 1.5)
        light *= np.exp(0.15 * cloth / cloth.std())[..., None]
        return cv2.GaussianBlur(light, (0, 0), 0.8).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def photo() -> Callable[..., Image]:
    """`photo(light, ev)`: what a camera with 5000 electrons at clipping makes of light times 2^ev.

    rng = None takes the picture without noise. bits: 8 or 16; 0 = linear float32 (like a developed RAW).
    """

    def shoot(
        light: np.ndarray,
        ev: float,
        rng: np.random.Generator | None = None,
        bits: int = 8,
        exposure: Exposure | None = None,
    ) -> Image:
        seen = light.astype(np.float64) * 2.0**ev
        if rng is not None:
            seen += rng.normal(size=seen.shape) * np.sqrt(2e-4 * seen + 5e-4**2)
        seen = np.clip(seen, 0, 1)
        if not bits:
            return Image(seen.astype(np.float32), "linear", exposure)
        dtype = np.dtype(np.uint8 if bits == 8 else np.uint16)
        return Image(np.rint(srgb_encode(seen) * np.iinfo(dtype).max).astype(dtype), "srgb", exposure)

    return shoot


@pytest.fixture(scope="session")
def make_card(room, photo) -> Callable[..., Path]:
    """`make_card(folder, brackets, singles)`: photos DSC_0001.jpg ... of 96x72 pixels; brackets of three come first."""

    def make(folder: Path, brackets: int = 3, singles: int = 1) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        rng, number = np.random.default_rng(1), 0
        for n in range(brackets + singles):
            light = room(72, 96, seed=n)
            for ev in (0, -2, 2) if n < brackets else (0,):
                number += 1
                path = folder / f"DSC_{number:04d}.jpg"
                io.write(path, photo(light, ev, rng))
                _tag(path, Exposure(2.0**ev / 100, 100, 8.0), f"2026:05:01 10:{n:02d}:{number % 60:02d}")
        return folder

    return make


def _tag(path: Path, exposure: Exposure, date: str) -> None:
    """Metadata as a camera writes it, through another library."""
    exif = Pillow.Exif()
    exif.update({0x010F: "Maker", 0x0110: "Model"})
    exif.get_ifd(0x8769).update(
        {0x829A: exposure.time_s, 0x829D: exposure.f_number, 0x8827: int(exposure.iso), 0x9003: date}
    )
    with Pillow.open(path) as picture:
        picture.save(path, quality=95, subsampling=0, exif=exif)


@pytest.fixture(autouse=True)
def _decode_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command's --isolate lasts as long as its process, which here runs other tests as well."""
    monkeypatch.setenv("OPENHDR_ISOLATE", "")
