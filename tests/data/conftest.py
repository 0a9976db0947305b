"""Tiny datasets that tests write in the original layouts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from openhdr import io
from openhdr.core.image import Image


class Writer:
    """Writes small pictures; every one differs."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(5)

    def photo(self, path: Path, low: int = 0, high: int = 256, size: tuple[int, int] = (8, 12)) -> np.ndarray:
        """An 8-bit picture (lossless where the format is) and its codes."""
        path.parent.mkdir(parents=True, exist_ok=True)
        codes = self.rng.integers(low, high, (*size, 3), dtype=np.uint8)
        io.write(path, Image(codes, "srgb"))
        return codes

    def deep(self, path: Path, size: tuple[int, int] = (8, 12)) -> np.ndarray:
        """A 16-bit picture and its codes."""
        path.parent.mkdir(parents=True, exist_ok=True)
        codes = self.rng.integers(0, 65536, (*size, 3), dtype=np.uint16)
        io.write(path, Image(codes, "srgb"))
        return codes

    def hdr(self, path: Path, size: tuple[int, int] = (8, 12)) -> np.ndarray:
        """An HDR picture and the values that its file holds."""
        path.parent.mkdir(parents=True, exist_ok=True)
        light = np.exp(self.rng.normal(size=(*size, 3)) * 2).astype(np.float32)
        io.write(path, Image(light), io.WriteOptions(exr_half=False))
        return io.read(path).pixels


@pytest.fixture
def writer() -> Writer:
    return Writer()
