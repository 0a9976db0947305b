"""Cards of small photos with metadata, made from simulated light."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from openhdr import io
from openhdr.core.image import Exposure


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
