"""What a user can ask of the pipeline. Importing this loads no decoder and no arithmetic: the command line reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from openhdr.core.options import choice, nested, option
from openhdr.expansion import DEFAULT as DEFAULT_INVERSE_TONE_MAPPER
from openhdr.expansion import INVERSE_TONE_MAPPERS
from openhdr.merging import CLASSICAL
from openhdr.models.inference.options import RunOptions

if TYPE_CHECKING:
    from openhdr.camera.response import Response


@dataclass(frozen=True)
class ExpandOptions:
    """How one photo is expanded. None = the default.

    keep_stack: return the exposures that a network predicts, too.
    """

    method: str | None = option(
        choice(INVERSE_TONE_MAPPERS, DEFAULT_INVERSE_TONE_MAPPER, "a one-photo network of `openhdr models`"),
        None,
    )
    response: Response | str = option("srgb, gamma:2.2, linear, a saved curve.", "srgb")
    weights: str | None = option("Of a network: the name of shipped weights, or a file.", None)
    merger: str | None = option(
        f"Merge the exposures that stack-itm predicts by one of {', '.join(CLASSICAL)}.", None
    )
    anchor: str = option("What 1.0 means: reference (the photo clips), grey or absolute.", "reference")
    run: RunOptions = nested(RunOptions, without=("augment",))
    keep_stack: bool = False


@dataclass(frozen=True)
class DeliveryOptions:
    """How a picture is stored. None = the format's default.

    Files for HDR screens: .jpg (a gain map beside an SDR picture), .avif, .jxl, .png, .heic (PQ or HLG).
    """

    quality: int | None = option("Of JPEG, WebP, AVIF, JPEG XL, HEIC: 1 to 100.", None)
    primaries: str = option("Of the file: rec709, p3, rec2020, adobe-rgb or prophoto.", "rec709")
    white: float | None = option(
        "For HDR screens: light shown as SDR white, 203 cd/m2.  [default: 1.0; 203 where values are cd/m2]",
        None,
    )
    headroom: float = option("Of a gain map: stops over white that are kept.", 4.0)
    sdr: Path | None = option(
        "Of a gain map: your own SDR picture, such as an edited photo of the same size.", None
    )
    map_quality: int = option("Of a gain map: 1 to 100.", 95)
    map_scale: int = option("Of a gain map: pixels of the picture to one of the map.", 1)
    gain_map: bool = option("AVIF: an SDR picture with a gain map instead of PQ.", False)
    transfer: str = option("Of AVIF, JPEG XL, PNG, HEIC: pq or hlg.", "pq")
    bits: int = option("Of AVIF and HEIC: 10 or 12.", 10)
    lossless: bool = option("JPEG XL: keep the light as floats.", False)
