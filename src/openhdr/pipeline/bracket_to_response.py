"""A bracket -> the camera's response, by the first four steps of a merge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from openhdr.alignment import ALIGNERS
from openhdr.alignment import DEFAULT as DEFAULT_ALIGNER
from openhdr.camera.remembered import camera_of
from openhdr.camera.response import ASSUMED_RESPONSE, Response, parse
from openhdr.core.errors import RequestError
from openhdr.core.image import ImageOrPath
from openhdr.pipeline.bracket_to_hdr import (
    CALIBRATE,
    decode,
    expose,
    listed,
    merger_of,
    names_of,
    read_frames,
    refuse_results,
    register,
)
from openhdr.pipeline.pipeline_options import CalibrateOptions, MergeOptions


def calibrate(
    frames: Sequence[ImageOrPath] | str | Path, options: CalibrateOptions = CalibrateOptions()
) -> Response:
    """The response of the camera that took a bracket, a curve a channel; it bears the camera's name.

    frames: as of `openhdr.merge`. Raises OpenHDRError where the photos cannot tell.
    """
    merging = MergeOptions(
        options.ev, options.times, align=options.align, response=CALIBRATE, calibration=options.method
    )
    first = parse(ASSUMED_RESPONSE)
    align = ALIGNERS[options.align or DEFAULT_ALIGNER].load()
    frames = listed(frames)
    images, names = read_frames(frames), names_of(frames)
    refuse_results(images, names)
    bracket, _ = expose(images, names, merging, first, merger_of(merging))
    registered = register(bracket, align, first, merging)
    registered, measured = decode(registered, merging, None)
    response = registered.responses[bracket.reference]
    if response is first:
        raise RequestError(f"no response was found: {measured.origin}; more frames, evenly exposed, help")
    camera = camera_of(images[bracket.reference].metadata)
    return replace(response, name=camera or response.name, camera=camera)
