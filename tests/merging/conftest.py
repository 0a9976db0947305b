"""Registered brackets for merging tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from openhdr.camera.response import analytic
from openhdr.core.image import Bracket, Frame, Image
from openhdr.geometry import identity
from openhdr.merging.registered import RegisteredBracket

SRGB = analytic("srgb")


@pytest.fixture(scope="session")
def registered_of() -> Callable[..., RegisteredBracket]:
    """`registered_of(images, ev, reference)`: frames at rest, sRGB, nothing known about ghosts."""

    def make(images: Sequence[Image], ev: Sequence[float], reference: int = 0) -> RegisteredBracket:
        frames = tuple(
            Frame(image, float(stops), f"{n}")
            for n, (image, stops) in enumerate(zip(images, ev, strict=True))
        )
        places = [identity("reference" if n == reference else "kept") for n in range(len(frames))]
        return RegisteredBracket(Bracket(frames, reference), [SRGB] * len(frames), places)

    return make
