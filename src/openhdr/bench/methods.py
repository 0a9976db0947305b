"""Run one setting of a method on one scene."""

from __future__ import annotations

import numpy as np

from openhdr import pipeline
from openhdr.bench.case import BenchScene, Setting
from openhdr.bench.opencv import opencv
from openhdr.camera import response as responses
from openhdr.camera.bracketing import ExposureRequest
from openhdr.camera.response import Response
from openhdr.core.errors import RequestError


def reconstruct(setting: Setting, scene: BenchScene) -> np.ndarray:
    """(H, W, 3) float32 light, 1.0 = the reference clips, by the same pipeline as the command line's.

    Raises RequestError when the method makes a picture for display, which has no light to score.
    """
    if setting.task == "photo":
        return reference_light(scene)
    if setting.task == "opencv":
        return opencv(scene)
    if setting.task == "expand":
        options = pipeline.ExpandOptions(setting.method, scene.stated_response, setting.weights)
        image = pipeline.expand_photo(scene.frames[scene.reference], options).result.image
    else:
        image = pipeline.merge_bracket(scene.frames, merge_options(setting, scene)).image
    if image.encoding != "linear":
        raise RequestError(
            f"method '{setting.name}' makes a picture for display; only scene light can be scored"
        )
    return image.pixels


def merge_options(setting: Setting, scene: BenchScene) -> pipeline.MergeOptions:
    """The pipeline's options: what the setting says, the rest as by default."""
    return pipeline.MergeOptions(
        ExposureRequest(ev=scene.stated_ev, reference=scene.reference + 1),
        method=setting.method,
        align=setting.align,
        response=scene.stated_response,
        deghost=setting.deghost,
        weights=setting.weights,
    )


def reference_light(scene: BenchScene) -> np.ndarray:
    """(H, W, 3) float32: the reference frame linearised, 1.0 = it clips."""
    return _response(scene.stated_response).decode(scene.frames[scene.reference])


def _response(response: Response | str) -> Response:
    return responses.parse(response) if isinstance(response, str) else response
