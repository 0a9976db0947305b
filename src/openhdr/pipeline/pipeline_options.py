"""What a user can ask of the pipeline. Importing this loads no decoder and no arithmetic: the command line reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from openhdr.alignment import ALIGNERS
from openhdr.alignment import DEFAULT as DEFAULT_ALIGNER
from openhdr.core.errors import RequestError
from openhdr.core.options import checked, choice, nested, option
from openhdr.expansion import DEFAULT as DEFAULT_INVERSE_TONE_MAPPER
from openhdr.expansion import INVERSE_TONE_MAPPERS
from openhdr.merging import CLASSICAL, MERGERS
from openhdr.merging import DEFAULT as DEFAULT_MERGER
from openhdr.models.inference.run_options import HEADING as NETWORKS
from openhdr.models.inference.run_options import RunOptions

if TYPE_CHECKING:
    from openhdr.camera.response import Response
    from openhdr.merging.retouch import Stroke

RAW = "Camera RAW"  # headings over options
FILES = "Files, and screens that show HDR"


@dataclass(frozen=True)
class MergeOptions:
    """How a bracket is merged. None = the default, or what the files say.

    ev: stops per frame (only differences matter), or "auto". times: seconds per frame. reference: a number, from 1 in
    the order given, or a file name. response: a response, its name, a saved curve's path or "calibrate". retouch:
    strokes of a brush, also as mappings.
    """

    ev: Sequence[float] | str | None = option(
        "Exposures in stops, one per image (-2,0,2), or auto = measured in the pixels.", None
    )
    times: Sequence[float] | None = option(
        "Shutter times in seconds, one per image (1/400,1/100,1/25).", None
    )
    method: str | None = option(choice(MERGERS, DEFAULT_MERGER, "a network of `openhdr models`"), None)
    weights: str | None = option("The name of shipped weights, or a file.", None, heading=NETWORKS)
    run: RunOptions = nested(RunOptions)
    align: str | None = option(choice(ALIGNERS, DEFAULT_ALIGNER), None)
    reference: int | str | None = option(
        "Image whose geometry and scale are kept: its number, from 1, or its file name.  [default: the middle one that "
        "is well exposed]",
        None,
    )
    response: Response | str | None = option(
        "srgb, typical (of cameras), gamma:2.2, linear, calibrate, or a saved curve.  [default: measured, where that "
        "beats srgb]",
        None,
    )
    calibration: str = option("bracket, debevec or robertson.", "bracket")
    deghost: bool | None = option("Leave out what moved.  [default: yes; on a tripod only objects]", None)
    match: bool | None = option(
        "Bring frames onto the reference's tones.  [default: if srgb is assumed; with a given response only exposures "
        "that are clearly wrong]",
        None,
    )
    retouch: Sequence[Stroke | Mapping[str, Any]] | None = option(
        "File (.json) of areas to take from a frame, as `openhdr serve` paints and saves them.", None
    )
    correct_ca: bool = option(
        "Measure the lens' lateral chromatic aberration in the photos and correct it before merging.", False
    )
    crop: bool = option("Cut the result to the area that all photos show.", False)
    raw_domain: str = option(
        "Merge before demosaicing: on, off or auto = where files and method allow it.", "auto", heading=RAW
    )
    neutral: Sequence[float] | None = option(
        "What the sensor shows of white, R,G,B.  [default: as shot]", None, heading=RAW
    )
    dark: Path | None = option("A photo without light, taken like the others.", None, heading=RAW)
    flat: Path | None = option("A photo of an even, white surface.", None, heading=RAW)


@dataclass(frozen=True)
class CalibrateOptions:
    """How a camera's response is recovered from a bracket. None = what the files say.

    ev: stops per frame. times: seconds per frame.
    """

    ev: Sequence[float] | None = option("Exposures in stops, one per image (-2,0,2).", None)
    times: Sequence[float] | None = option(
        "Shutter times in seconds, one per image (1/400,1/100,1/25).", None
    )
    method: str = option("bracket, debevec or robertson.", "bracket")
    align: str | None = option(choice(ALIGNERS, DEFAULT_ALIGNER), None)


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
    weights: str | None = option("The name of shipped weights, or a file.", None, heading=NETWORKS)
    merger: str | None = option(
        f"Merge the exposures that stack-itm predicts by one of {', '.join(CLASSICAL)}.", None
    )
    anchor: str = option("What 1.0 means: reference (the photo clips), grey or absolute.", "reference")
    run: RunOptions = nested(RunOptions)
    keep_stack: bool = False


@dataclass(frozen=True)
class DeliveryOptions:
    """How a picture is stored. None = the format's default.

    Files for HDR screens: .jpg (a gain map beside an SDR picture), .avif, .jxl, .png, .heic (PQ or HLG).
    Raises RequestError for a value that cannot be.
    """

    quality: int | None = option(
        "Of JPEG, WebP, AVIF, JPEG XL, HEIC: 1 to 100.",
        None,
        bounds=(1, 100),
        heading=FILES,
        idle_with=("lossless",),
    )
    primaries: str = option(
        "Of the file: rec709, p3, rec2020, adobe-rgb, prophoto or acescg.", "rec709", heading=FILES
    )
    white: float | None = option(
        "For HDR screens: value of the light that is shown as SDR white.  [default: 1.0; 203 where values are cd/m2]",
        None,
        bounds=(1e-6, 1e9),
        heading=FILES,
        idle_with=("lossless",),
    )
    headroom: float = option(
        "Of a gain map: stops over white that are kept.", 4.0, bounds=(0.1, 8), heading=FILES
    )
    sdr: Path | None = option(
        "Of a gain map: your own SDR picture, such as an edited photo of the same size.", None, heading=FILES
    )
    map_quality: int = option("Of a gain map: 1 to 100.", 95, bounds=(1, 100), heading=FILES)
    map_scale: int = option(
        "Of a gain map: pixels of the picture to one of the map.", 1, bounds=(1, 8), heading=FILES
    )
    gain_map: bool = option("AVIF: an SDR picture with a gain map instead of PQ.", False, heading=FILES)
    # beside a gain map the SDR picture has 8 bits, and no curve for HDR
    transfer: Literal["pq", "hlg"] = option(
        "Of AVIF, JPEG XL, PNG, HEIC.", "pq", heading=FILES, idle_with=("gain_map", "lossless")
    )
    bits: int = option("Of AVIF and HEIC: 10 or 12.", 10, heading=FILES, idle_with=("gain_map",))
    dng: Literal["cfa", "linear"] = option(
        "Of merged camera RAW: cfa = sensor values for an editor, or linear = a picture.",
        "cfa",
        heading=FILES,
    )
    lossless: bool = option("JPEG XL: keep the light as floats.", False, heading=FILES)
    full_float: bool = option(
        "EXR, DNG: 32-bit floats instead of half.", False, flags=("--float",), heading=FILES
    )
    compression: Literal["none", "rle", "zips", "zip", "piz", "pxr24", "dwaa", "dwab"] = option(
        "Of EXR.", "piz", heading=FILES
    )

    def __post_init__(self) -> None:
        from openhdr.color.primaries import named

        checked(self)
        named(self.primaries)
        if self.bits not in (10, 12):
            raise RequestError(f"`bits={self.bits}`: expected 10 or 12")

    def refuse_unused(self, output: Path, operator: str | None = None, preview: bool = False) -> None:
        """Raise RequestError if anything is set that does not change the output.

        operator: of the SDR picture in a file with a gain map; None = not set. preview: whether a tone-mapped picture
        is written besides, by the same operator.
        """
        from openhdr.io import FORMATS, OF_GAIN_MAPS, WriteOptions, row_by_extension, takes_sdr

        row = row_by_extension(output)
        here = {one.name: getattr(self, one.name) for one in fields(self)}
        changed = {one.name: here[one.name] for one in fields(self) if here[one.name] != one.default}
        idle_with = {one.name: one.metadata["option"].idle_with for one in fields(self)}
        if operator is not None and not preview:
            changed["operator"], idle_with["operator"] = operator, ("sdr",)
        for name, value in changed.items():
            if name in OF_GAIN_MAPS:
                if not takes_sdr(output, WriteOptions(gain_map=self.gain_map)):
                    known = "gain maps (.jpg, or .avif with `gain_map`)"
                    raise RequestError(f"`{name}={value}` is of {known}; leave it out for {output.name}")
            elif name not in row.options:
                endings = ", ".join(
                    one.extensions[0] for one in FORMATS.values() if one.writable and name in one.options
                )
                raise RequestError(f"`{name}={value}` is of {endings} files; leave it out for {output.name}")
            ruling = next((other for other in idle_with[name] if other in changed), None)
            if ruling:
                raise RequestError(
                    f"`{name}={value}` changes nothing where `{ruling}` is given; leave one out"
                )
