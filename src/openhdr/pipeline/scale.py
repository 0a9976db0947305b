"""What the value 1.0 of an HDR image means.

`reference` (the default): the level at which the reference frame clips. `grey`: the logarithmic mean of the
brightest channel is 0.18, an 18 % grey card. `absolute`: cd/m2, where the camera's exposure is known.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from openhdr.color.channels import brightest_channel
from openhdr.core.errors import RequestError, unknown_name
from openhdr.core.image import Image

ANCHORS = ("reference", "grey", "absolute")


def check_anchor(name: str) -> None:
    """Raise RequestError for a name that is none of ANCHORS."""
    if name not in ANCHORS:
        raise unknown_name("anchor", name, ANCHORS)


def anchored(image: Image, anchor: str) -> Image:
    """A linear image on another scale. Raises RequestError when `absolute` is asked for and unknown."""
    check_anchor(anchor)
    if anchor == "reference" or image.encoding != "linear":
        return image
    white = image.metadata.get("white_luminance")
    if anchor == "grey":
        peak = brightest_channel(image.pixels)
        factor = 0.18 / float(np.exp(np.log(np.maximum(peak, 1e-6)).mean()))
    elif white is None:
        raise RequestError(
            "`anchor='absolute'` needs shutter time, ISO and aperture in the reference's metadata"
        )
    else:
        factor = float(white)
    metadata = {**image.metadata, "white_luminance": white / factor} if white else image.metadata
    return replace(image.with_pixels(image.pixels * np.float32(factor)), metadata=metadata)
