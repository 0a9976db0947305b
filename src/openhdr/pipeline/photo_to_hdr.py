"""One photo -> HDR: read, where it clips, the method, what it measured and what it invents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from openhdr import io
from openhdr.camera.exposure import with_white_luminance
from openhdr.camera.response import Response, parse
from openhdr.core.errors import RequestError, unknown_name
from openhdr.core.image import REC709, Frame, Image, ImageOrPath
from openhdr.expansion import DEFAULT, INVERSE_TONE_MAPPERS
from openhdr.expansion.photo import Photo, photo_of
from openhdr.expansion.result import ExpandResult, result_of
from openhdr.io.pixels import in_primaries
from openhdr.merging import CLASSICAL, MERGERS
from openhdr.models import MODELS
from openhdr.models.inference.expanded import Expanded
from openhdr.models.inference.run_options import Precision, RunOptions
from openhdr.pipeline.pipeline_options import ExpandOptions
from openhdr.pipeline.predicted_stack import merged_stack, predicted_stack
from openhdr.pipeline.scale import anchored, check_anchor
from openhdr.pipeline.sensor_merger import recovered_photo

InverseToneMapper = Callable[[Photo], Expanded]
"""A photo -> its light, and the exposures that were predicted on the way, if any."""


@dataclass(frozen=True)
class Expansion:
    """What an expansion made and how.

    image: the HDR image on the scale that was asked for. result: the image with 1.0 = the photo clips, the origin of
    every pixel and what is claimed. stack: predicted exposures with their EVs. masks: (H, W, 3) float32, how much of
    each of them went into a pixel.
    """

    method: str
    image: Image
    result: ExpandResult
    stack: tuple[Frame, ...] = ()
    masks: np.ndarray | None = None


def expand(
    photo: ImageOrPath,
    method: str | None = None,
    *,
    response: Response | str = "srgb",
    weights: str | None = None,
    merger: str | None = None,
    anchor: str = "reference",
    device: str = "cpu",
    precision: Precision = "auto",
    memory: float = 2.4,
    augment: bool = False,
) -> Image:
    """Turn one photo into an HDR image: (H, W, 3) float32, linear Rec.709, >= 0. Options as of `openhdr expand`.

    photo: a path or an Image. method: a row of `openhdr.expansion.INVERSE_TONE_MAPPERS` or a one-photo network;
        None = the default.
    response: how codes stand for light: "srgb", "gamma:2.2", "linear", a saved curve.
    weights, device, precision, memory, augment: of a network, see `RunOptions`; memory in GB (1e9 bytes).
    merger: merges the exposures that a network predicts. anchor: what 1.0 means: "reference" (the photo clips),
        "grey" or "absolute" (cd/m2).
    Raises OpenHDRError with what to do. `expand_photo` also returns what was estimated.

    >>> import numpy as np, openhdr
    >>> photo = openhdr.Image(np.full((4, 4, 3), 128, np.uint8), "srgb")
    >>> openhdr.expand(photo, method="landis").pixels.shape
    (4, 4, 3)
    """
    run = RunOptions(device, precision, memory, augment)
    image = expand_photo(photo, ExpandOptions(method, response, weights, merger, anchor, run)).image
    return in_primaries(image, REC709)


def expand_photo(photo: ImageOrPath, options: ExpandOptions = ExpandOptions()) -> Expansion:
    """Expand a photo and say how."""
    method = options.method or DEFAULT
    if method not in METHODS:
        raise unknown_name("expansion method", method, METHODS)
    check_anchor(options.anchor)
    _check_merger(options.merger)
    inverse_tone_mapper = METHODS[method](method, options)
    name = "the image" if isinstance(photo, Image) else str(photo)
    if sensor := recovered_photo(photo):
        image = sensor[0].with_pixels(np.minimum(sensor[0].pixels, 1))
    else:
        image = photo if isinstance(photo, Image) else io.read(photo, base=True, primaries=None)
    ready = photo_of(image, parse(options.response), name)
    made = inverse_tone_mapper(ready)
    stack = predicted_stack(image, ready, made)
    light, notes = merged_stack(stack, options.merger) if options.merger else (made.linear, ())
    if sensor and method in INVERSE_TONE_MAPPERS and INVERSE_TONE_MAPPERS[method].keeps_measured:
        recovered, measured = sensor[0].pixels, sensor[1] & ready.lost_anywhere
        light = np.where(measured[..., None], recovered, np.maximum(light, recovered))
    result = result_of(image.with_notes(*notes), ready, light)
    result = replace(result, image=io.as_result(with_white_luminance(result.image)))
    return Expansion(method, anchored(result.image, options.anchor), result, stack, made.masks)


def _by_operator(name: str, options: ExpandOptions) -> InverseToneMapper:
    """A row of INVERSE_TONE_MAPPERS."""
    if options.weights:
        raise RequestError(f"`weights` is for networks; '{name}' takes none")
    options.run.refuse(name)
    _refuse_stack(name, options)
    operator = INVERSE_TONE_MAPPERS[name].load()
    return lambda photo: Expanded(operator(photo))


def _by_network(name: str, options: ExpandOptions) -> InverseToneMapper:
    """A one-photo network with its weights."""
    if not MODELS[name].predicts_exposures:
        _refuse_stack(name, options)
    from openhdr.models import load_for_use  # needs torch
    from openhdr.models.inference.one_photo import expand_image

    network = load_for_use(name, options.weights)
    keep = options.keep_stack or options.merger is not None
    return lambda photo: expand_image(network, photo.linear, options.run, keep)


METHODS: Mapping[str, Callable[[str, ExpandOptions], InverseToneMapper]] = MappingProxyType(
    dict.fromkeys(INVERSE_TONE_MAPPERS, _by_operator)
    | {row.name: _by_network for row in MODELS.values() if row.task == "expand"}
)
"""Every method by its name: what makes an inverse_tone_mapper of it, or says why the options do not fit."""


def _refuse_stack(name: str, options: ExpandOptions) -> None:
    """Of a method that predicts no exposures."""
    if options.merger or options.keep_stack:
        able = ", ".join(row.name for row in MODELS.values() if row.predicts_exposures)
        asked = "`merger`" if options.merger else "`keep_stack`"
        raise RequestError(f"'{name}' predicts no exposures; leave {asked} out, or use `method={able}`")


def _check_merger(name: str | None) -> None:
    """Refuse a merger that cannot merge predicted exposures."""
    if name is None or MERGERS[name].name in CLASSICAL:
        return
    display = MERGERS[name].output == "display"
    why = (
        "gives a picture for display"
        if display
        else "looks for ghosts, which predicted exposures cannot show"
    )
    raise RequestError(f"`merger={name}`: {why}; choose one of {', '.join(CLASSICAL)}")
