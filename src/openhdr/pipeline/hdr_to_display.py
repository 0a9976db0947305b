"""HDR -> an image for a screen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from openhdr import io
from openhdr.core.errors import RequestError
from openhdr.core.image import Image, ImageOrPath
from openhdr.tonemapping import DEFAULT, OPERATORS
from openhdr.tonemapping import tonemap as apply_operator

CELL_PX, CAPTION_PX, GAP_PX = 480, 22, 6  # of a sheet: width of a picture, height of its caption
PAPER, INK = 255, (60, 60, 60)


def tonemap(
    hdr: ImageOrPath,
    operator: str | Path | None = None,
    *,
    exposure: float | None = None,
    contrast: float | None = None,
    saturation: float | None = None,
    white: float | None = None,
    options: Mapping[str, float] | None = None,
) -> Image:
    """Turn an HDR image into a displayable one: (H, W, 3) float32 sRGB codes 0..1.

    hdr: a path or an Image, linear. operator: a row of `openhdr.tonemapping.OPERATORS`, such a name with values
    ("drago:bias=0.9"), or a preset file (.toml); None = the default.
    exposure: stops by which the scene is brightened. contrast, saturation: factors. white: stops over the log-average
    that are shown as white. options: the operator's own, by name. None = the operator's default.
    Raises RequestError for what the operator does not take, or values out of bounds.

    >>> import numpy as np, openhdr
    >>> hdr = openhdr.Image(np.full((4, 4, 3), 8, np.float32))
    >>> float(openhdr.tonemap(hdr, "drago", exposure=-1, options={"bias": 0.9}).pixels.max()) <= 1
    True
    """
    common = {"exposure": exposure, "contrast": contrast, "saturation": saturation, "white": white}
    asked = dict(options or {}) | {name: value for name, value in common.items() if value is not None}
    return apply_operator(hdr if isinstance(hdr, Image) else io.read(hdr), operator, asked)


def sheet(hdr: Image, options: Mapping[str, float] | None = None) -> Image:
    """Every operator's picture of one image on a page, (H, W, 3) uint8, the default first.

    options: those that every operator takes. Pictures are CELL_PX wide.
    """
    if hdr.encoding != "linear":
        raise RequestError("a sheet of tone mappings needs an HDR image")
    height = max(round(hdr.height * CELL_PX / hdr.width), 1)
    small = cv2.resize(np.ascontiguousarray(hdr.pixels), (CELL_PX, height), interpolation=cv2.INTER_AREA)
    names = [DEFAULT, *(name for name in OPERATORS if name != DEFAULT)]
    columns = 3 if height < 1.5 * CELL_PX else 5
    step = (height + CAPTION_PX + GAP_PX, CELL_PX + GAP_PX)
    page = np.full(
        (step[0] * math.ceil(len(names) / columns), step[1] * columns - GAP_PX, 3), PAPER, np.uint8
    )
    for number, name in enumerate(names):
        top, left = step[0] * (number // columns), step[1] * (number % columns)
        shown = apply_operator(hdr.with_pixels(small), name, options, dtype="uint8").pixels
        page[top : top + height, left : left + CELL_PX] = shown
        place = (left + 4, top + height + CAPTION_PX - 6)
        cv2.putText(page, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)
    return Image(page, "srgb")
