"""Frames for a network: in the reference's geometry, complete, 0..1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from openhdr.camera import response as responses
from openhdr.core.image import Bracket, Frame
from openhdr.geometry import Registration, identity
from openhdr.merging.registered import RegisteredBracket
from openhdr.pipeline.network_merger import registered_light

SHIFT = 12


@pytest.fixture
def registered(room, photo) -> RegisteredBracket:
    """Three exposures; the longest is moved SHIFT pixels to the right."""
    light = room(80, 96 + SHIFT)
    views = ((light[:, SHIFT:], -2.0), (light[:, SHIFT:], 0.0), (light[:, :-SHIFT], 2.0))
    frames = tuple(Frame(photo(view, ev, bits=0), ev) for view, ev in views)
    move = np.array([[1, 0, SHIFT], [0, 1, 0], [0, 0, 1]], np.float64)
    places = [identity("kept"), identity("reference"), Registration("aligned", move)]
    curve = responses.parse("srgb")
    return RegisteredBracket(Bracket(frames, 1), [curve] * 3, places)


def exposed(registered: RegisteredBracket, ev: float) -> np.ndarray:
    """What the frame would be without the move, as far as the reference does not clip."""
    return np.clip(registered.bracket.frames[0].image.pixels * np.float32(2.0 ** (ev + 2)), 0, 1)


def test_moved_frame_lies_on_the_reference_also_beyond_its_border(registered: RegisteredBracket) -> None:
    _, _, long = registered_light(registered, (0, 1, 2))
    np.testing.assert_allclose(long, exposed(registered, 2.0), atol=2e-3)


def test_ghosts_stay_for_the_network_to_see(registered: RegisteredBracket) -> None:
    ghosts = replace(registered, consistency=[np.zeros((80, 96), np.float32)] * 3)
    for one, other in zip(
        registered_light(ghosts, (0, 2)), registered_light(registered, (0, 2)), strict=True
    ):
        assert np.array_equal(one, other)


def test_a_frame_of_another_scene_becomes_the_reference_at_its_exposure(
    registered: RegisteredBracket,
) -> None:
    places = [registered.registrations[0], registered.registrations[1], identity("rejected")]
    (long,) = registered_light(replace(registered, registrations=places), (2,))
    reference = np.clip(registered.bracket.frames[1].image.pixels, 0, 1)
    np.testing.assert_allclose(long, np.minimum(reference * 4, 1), rtol=1e-6)


def test_beyond_its_border_a_short_frame_stays_bright_where_the_reference_clips(
    registered: RegisteredBracket,
) -> None:
    """What the reference clips is at least its clipping level; the nearest light that was measured says more."""
    frames = list(registered.bracket.frames)
    bright = np.full_like(frames[0].image.pixels, 0.8)  # 3.2 times what clips the reference
    frames[0] = replace(frames[0], image=frames[0].image.with_pixels(bright))
    frames[1] = replace(frames[1], image=frames[1].image.with_pixels(np.ones_like(bright)))
    places = [registered.registrations[2], registered.registrations[1], registered.registrations[0]]
    changed = replace(registered, bracket=Bracket(tuple(frames), 1), registrations=places)
    np.testing.assert_allclose(registered_light(changed, (0,))[0], 0.8, rtol=1e-6)
    rejected = replace(changed, registrations=[identity("rejected"), *places[1:]])
    np.testing.assert_allclose(registered_light(rejected, (0,))[0], 0.25, rtol=1e-6)
