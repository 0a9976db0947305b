"""One photo -> HDR: by an expander, or by a network."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from openhdr import io
from openhdr.camera.exposure import with_white_luminance
from openhdr.camera.response import ASSUMED_RESPONSE, Response, parse
from openhdr.core.errors import RequestError, unknown_name
from openhdr.core.image import Frame, Image, ImageOrPath
from openhdr.expansion import DEFAULT as DEFAULT_EXPANDER
from openhdr.expansion import EXPANDERS
from openhdr.expansion.photo import Photo, photo_of
from openhdr.expansion.runner import ExpandResult, expand_image, result_of
from openhdr.merging import CLASSICAL, MERGERS
from openhdr.models import MODELS
from openhdr.models.inference.options import RunOptions
from openhdr.pipeline.predicted_stack import merged_stack, predicted_stack


@dataclass(frozen=True)
class ExpandOptions:
    """How one photo is expanded. None = the default."""

    method: str | None = None  # an expander's or a one-photo network's name
    response: Response | str = ASSUMED_RESPONSE
    weights: str | None = None  # of a network: a shipped name or a file
    merger: str | None = None  # merges the exposures that a network predicts; None = the network's own fusion
    keep_stack: bool = False  # return those exposures, too
    run: RunOptions = RunOptions()  # of a network: memory, device, precision


@dataclass(frozen=True)
class Expansion:
    """What an expansion made and how.

    result: the image, the origin of every pixel and what is claimed. stack: predicted exposures with their EVs.
    masks: (H, W, 3) float32, how much of each of them went into a pixel.
    """

    method: str
    result: ExpandResult
    stack: tuple[Frame, ...] = ()
    masks: np.ndarray | None = None


def expand_photo(photo: ImageOrPath, options: ExpandOptions = ExpandOptions()) -> Expansion:
    """Expand a photo and say how: read, where it clips, the method, what it measured and what it invents."""
    method = options.method or DEFAULT_EXPANDER
    networks = [name for name, row in MODELS.items() if row.task == "expand"]
    if method not in EXPANDERS and method not in networks:
        raise unknown_name("expansion method", method, [*EXPANDERS, *networks])
    if method in EXPANDERS and options.weights:
        raise RequestError(f"--weights is for networks; '{method}' takes none")
    _check_stack(method, options)
    image, name = _photo(photo)
    response = parse(options.response)
    if method in EXPANDERS:
        return Expansion(method, _lit(expand_image(image, method, response, name=name)))
    return _by_network(method, image, photo_of(image, response, name), options)


def _check_stack(method: str, options: ExpandOptions) -> None:
    """Refuse exposures of a method that predicts none, and a merger that cannot merge predicted exposures."""
    name = options.merger
    if (name or options.keep_stack) and not (method in MODELS and MODELS[method].predicts_exposures):
        able = ", ".join(row.name for row in MODELS.values() if row.predicts_exposures)
        raise RequestError(
            f"'{method}' predicts no exposures; leave --merger and --save-stack out, or use --method {able}"
        )
    if name is None or MERGERS[name].name in CLASSICAL:
        return
    display = MERGERS[name].output == "display"
    why = (
        "gives a picture for display"
        if display
        else "looks for ghosts, which predicted exposures cannot show"
    )
    raise RequestError(f"--merger {name}: {why}; choose one of {', '.join(CLASSICAL)}")


def _by_network(method: str, image: Image, ready: Photo, options: ExpandOptions) -> Expansion:
    """The expansion by a one-photo network: its own picture, or its exposures merged classically."""
    from openhdr.models import load_for_use  # needs torch
    from openhdr.models.inference.one_photo import expand_image as expand_by_network

    network = load_for_use(method, options.weights)
    made = expand_by_network(
        network, ready.linear, options.run, options.keep_stack or options.merger is not None
    )
    stack = predicted_stack(image, ready, made)
    linear = made.linear
    if options.merger:
        linear, notes = merged_stack(stack, options.merger)
        image = image.with_notes(*notes)
    return Expansion(method, _lit(result_of(image, ready, linear)), stack, made.masks)


def _photo(photo: ImageOrPath) -> tuple[Image, str]:
    return (photo, "the image") if isinstance(photo, Image) else (io.read(photo), str(photo))


def _lit(result: ExpandResult) -> ExpandResult:
    return replace(result, image=with_white_luminance(result.image))
