"""Stacks for merging tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from openhdr.camera.response import analytic
from openhdr.core.image import Bracket, Frame, Image
from openhdr.core.placement import identity
from openhdr.merging.samples import Stack

SRGB = analytic("srgb")


@pytest.fixture(scope="session")
def stack_of() -> Callable[..., Stack]:
    """`stack_of(images, ev, reference)`: frames at rest, sRGB, nothing known about ghosts."""

    def make(images: Sequence[Image], ev: Sequence[float], reference: int = 0) -> Stack:
        frames = tuple(
            Frame(image, float(stops), f"{n}")
            for n, (image, stops) in enumerate(zip(images, ev, strict=True))
        )
        nothing = [None] * len(frames)
        places = [identity("reference" if n == reference else "kept") for n in range(len(frames))]
        return Stack(Bracket(frames, reference), [SRGB] * len(frames), places, nothing, nothing)

    return make
