"""The exposures that a one-photo network predicts, as a bracket: a classical merger may merge them."""

from __future__ import annotations

import numpy as np

from openhdr.camera.response import ASSUMED_RESPONSE, parse
from openhdr.core.image import Bracket, Frame, Image
from openhdr.expansion.photo import Photo
from openhdr.geometry import identity
from openhdr.merging import MERGERS
from openhdr.merging.merger import Merger
from openhdr.merging.registered import RegisteredBracket
from openhdr.models.inference.expanded import Expanded

PHOTO = "photo"  # name of the photo itself among the exposures predicted from it
LEAST_STEP = 0.1  # EV by which a predicted exposure has to differ from the photo to take part in a merge


def predicted_stack(image: Image, photo: Photo, made: Expanded) -> tuple[Frame, ...]:
    """The exposures that a network predicts and the photo between them, longest first; none if it makes none."""
    if not made.stack:
        return ()
    up, down = made.stack
    layers = ((up.name, up.code, up.ev), (PHOTO, photo.code, 0.0), (down.name, down.code, down.ev))
    return tuple(
        Frame(Image(np.ascontiguousarray(code, np.float32), "srgb", metadata=image.metadata), ev, name)
        for name, code, ev in layers
    )


def merged_stack(stack: tuple[Frame, ...], merger: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """The predicted exposures merged by a classical radiance merger, and what to tell about it; they share one
    geometry. One that lies within LEAST_STEP of the photo is left out: it holds no other light.
    """
    near = [frame for frame in stack if frame.name != PHOTO and abs(frame.ev) < LEAST_STEP]
    kept = tuple(frame for frame in stack if all(frame is not one for one in near))
    left = " and ".join(f"{frame.name} ({frame.ev:+.2f} EV)" for frame in near)
    notes = (f"left out of the merge, within {LEAST_STEP:g} EV of the photo: {left}",) if left else ()
    curve = parse(ASSUMED_RESPONSE)
    reference = [frame.name for frame in kept].index(PHOTO)
    if len(kept) == 1:
        return curve.decode(kept[0].image), notes
    registrations = [identity("reference" if index == reference else "kept") for index in range(len(kept))]
    registered = RegisteredBracket(Bracket(kept, reference), [curve] * len(kept), registrations)
    classical: Merger = MERGERS[merger].load()
    return classical.merge(registered).pixels, notes
