"""A network on the frames as they are, as papers evaluate it: nothing is registered, no response is measured.

`openhdr merge` and `expand` prepare photos first; datasets come prepared.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from openhdr.bench.methods.photos import Photos
from openhdr.camera import response as responses
from openhdr.camera.response import ASSUMED_RESPONSE
from openhdr.core.errors import RequestError, unknown_name
from openhdr.core.options import nested
from openhdr.models import MODELS, load_for_use
from openhdr.models.inference.run_options import RunOptions

ANY = "any"
PHOTOS = ("reference", "shortest", "longest", ANY)


@dataclass(frozen=True)
class NetworkOptions:
    """weights: a shipped name or a file; None = the first shipped ones. photo: of a one-photo network, which frame it
    is shown: one of PHOTOS; `any` = drawn by the scene's contents, the same one every time.
    """

    weights: str | None = None
    photo: str = "reference"
    run: RunOptions = nested(RunOptions)

    def __post_init__(self) -> None:
        if self.photo not in PHOTOS:
            raise unknown_name("photo of a one-photo network", self.photo, PHOTOS)


def run_network(name: str, photos: Photos, options: NetworkOptions) -> np.ndarray:
    """(H, W, 3) float32 light, 1.0 = the reference clips, of a three-frame or one-photo network of `MODELS`."""
    from openhdr.models.inference.one_photo import expand_image  # needs torch
    from openhdr.models.inference.three_frames import reconstruct

    response = responses.parse(photos.response or ASSUMED_RESPONSE)
    network = load_for_use(name, options.weights)
    if MODELS[name].task == "expand":
        chosen = shown_frame(photos, options.photo)
        stops = photos.ev[chosen] - photos.ev[photos.anchor]
        light = response.decode(photos.frames[chosen])
        return expand_image(network, light, options.run).linear / np.float32(2.0**stops)
    if len(photos.frames) < 3:
        raise RequestError(f"'{name}' merges three frames, but the scene has {len(photos.frames)}")
    frames = [response.decode(frame) for frame in photos.frames]
    return reconstruct(network, frames, photos.ev, photos.anchor, options.run)


def shown_frame(photos: Photos, which: str) -> int:
    """Index of the frame that a one-photo network is shown."""
    if which == ANY:
        seed = zlib.crc32(photos.frames[photos.anchor].pixels.tobytes())
        return int(np.random.default_rng(seed).integers(len(photos.frames)))
    order = np.argsort(photos.ev, kind="stable")
    return int({"reference": photos.anchor, "shortest": order[0], "longest": order[-1]}[which])
