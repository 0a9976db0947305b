"""Run one setting of a method on one bracket."""

from __future__ import annotations

import numpy as np

from openhdr.bench.case import Photos, Setting
from openhdr.bench.opencv import OpenCVOptions, opencv
from openhdr.bench.options import with_options
from openhdr.camera import response as responses
from openhdr.camera.bracketing import ExposureRequest
from openhdr.camera.response import ASSUMED_RESPONSE
from openhdr.core.image import Image
from openhdr.pipeline.bracket_to_hdr import MergeOptions, merge_bracket
from openhdr.pipeline.options import ExpandOptions
from openhdr.pipeline.photo_to_hdr import expand_photo


def reconstruct(setting: Setting, photos: Photos) -> Image:
    """What the method makes of the bracket, by the same pipeline as the command line's.

    Linear light (1.0 = the reference clips), or a picture for display from methods that make one.
    """
    if setting.task == "photo":
        return Image(reference_light(photos))
    if setting.task == "opencv":
        return Image(opencv(photos, with_options(OpenCVOptions(), setting.options)))
    if setting.task == "expand":
        options = with_options(_expand_options(setting, photos), setting.options)
        return expand_photo(photos.frames[photos.anchor], options).result.image
    return merge_bracket(photos.frames, with_options(_merge_options(setting, photos), setting.options)).image


def _merge_options(setting: Setting, photos: Photos) -> MergeOptions:
    """The pipeline's options: what the setting says, the rest as by default."""
    reference = None if photos.reference is None else photos.reference + 1
    return MergeOptions(
        ExposureRequest(ev=photos.ev, reference=reference),
        method=setting.method,
        align=setting.align,
        response=photos.response or MergeOptions.response,
        deghost=setting.deghost,
        weights=setting.weights,
    )


def _expand_options(setting: Setting, photos: Photos) -> ExpandOptions:
    response = photos.response or ExpandOptions.response
    return ExpandOptions(setting.method, response, setting.weights)


def reference_light(photos: Photos) -> np.ndarray:
    """(H, W, 3) float32: the reference frame linearised, 1.0 = it clips."""
    response = responses.parse(photos.response or ASSUMED_RESPONSE)
    return response.decode(photos.frames[photos.anchor])
