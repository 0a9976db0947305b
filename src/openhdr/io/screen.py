"""HDR light as files for screens take it: in stops over the white of an SDR image."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from openhdr.color.channels import share_above
from openhdr.color.primaries import REC2020, same
from openhdr.core.image import REC709, Chromaticities, Image
from openhdr.io.format import WriteOptions
from openhdr.io.gainmap import GainFacts, apply, draw
from openhdr.io.metadata.cicp import (
    REFERENCE_WHITE,
    TRANSFERS,
    Coding,
    coding_of,
    encode,
    light_levels,
    peak_of,
)
from openhdr.io.pixels import clean, code_values, linear_values


def beyond_white(image: Image, options: WriteOptions) -> bool:
    """Whether an image needs an HDR screen: light above white, or an SDR image of one's own beside it."""
    return image.encoding == "linear" and (options.sdr is not None or image.pixels.max() > options.white)


def light_for_screen(
    image: Image, options: WriteOptions, primaries: Chromaticities
) -> tuple[np.ndarray, tuple[str, ...]]:
    """(H, W, 3) float32 linear light in `primaries`, 1.0 = SDR white, and notes."""
    light, notes = linear_values(image, primaries)
    wider = () if same(primaries, REC2020) else notes  # nothing is lost on the way into Rec.2020
    return light if options.white == 1 else light / np.float32(options.white), wider


@dataclass(frozen=True)
class Signal:
    """Light as the codes of a PQ or HLG file. max_cll, max_fall: in cd/m2, see `light_levels`."""

    codes: np.ndarray
    coding: Coding
    max_cll: int
    max_fall: int
    notes: tuple[str, ...]


def coded_light(image: Image, options: WriteOptions, bits: int) -> Signal:
    """PQ or HLG codes (bits: see `cicp.encode`), in Rec.2020 unless other primaries than Rec.709 are asked for."""
    primaries = REC2020 if same(options.primaries, REC709) else options.primaries
    coding = coding_of(primaries, TRANSFERS[options.transfer])
    light, notes = light_for_screen(image, options, primaries)
    peak = peak_of(coding.transfer)
    above = share_above(light, peak)
    if above:
        what = f"Light over {peak:.3g} times white, the peak of {options.transfer.upper()}"
        notes += (f"{what}, was cut in {max(above, 1e-4):.2%} of the pixels.",)
        light = np.minimum(light, np.float32(peak))
    return Signal(encode(light, coding, bits), coding, *light_levels(light), notes)


def brightened(
    image: Image, facts: GainFacts, codes: np.ndarray, gain_primaries: Chromaticities | None = None
) -> Image:
    """A photo as linear light, 1.0 = SDR white, by its gain map.

    codes: of the map, (h, w, 3) uint8 or uint16, of any size. gain_primaries: in which the gains hold and the light is
    given; None = those of the photo.
    """
    if facts.base_is_hdr:  # the map leads down to SDR
        light = linear_values(image, image.primaries)[0]
        return replace(image, pixels=light, encoding="linear")
    primaries = gain_primaries or image.primaries
    light = np.array(linear_values(image, primaries)[0])  # a copy: `apply` overwrites
    light, changed = clean(apply(light, codes, facts))
    note = f"The gain map was applied; 1.0 = SDR white ({REFERENCE_WHITE:g} cd/m2)."
    return replace(
        image, pixels=light, encoding="linear", primaries=primaries, notes=(*image.notes, note, *changed)
    )


def sdr_codes(image: Image, options: WriteOptions) -> np.ndarray:
    """(H, W, 3) uint8 codes of the SDR image beside a gain map, in the file's primaries."""
    sdr = options.sdr or image.with_pixels(np.minimum(image.pixels / np.float32(options.white), 1))
    return code_values(sdr, np.uint8, options.primaries)[0]


def drawn_map(
    light: np.ndarray, base: np.ndarray, options: WriteOptions
) -> tuple[GainFacts, np.ndarray, tuple[str, ...]]:
    """Facts and codes of the gain map from `base` to `light`, see `gainmap.draw`, and a note on what is cut.

    light: (H, W, 3) float32, linear, 1.0 = SDR white. base: (H, W, 3) uint8 codes as a decoder sees them. The map is
    smaller by `options.map_scale`.
    """
    facts, codes = draw(light, base, options.headroom)
    if options.map_scale > 1:
        import cv2

        height, width = (-(-side // options.map_scale) for side in codes.shape[:2])
        codes = cv2.resize(codes, (width, height), interpolation=cv2.INTER_AREA)
    above = share_above(light, 2.0**options.headroom)
    if not above:
        return facts, codes, ()
    note = f"Light more than {options.headroom:g} stops over white was cut in {max(above, 0.0001):.2%} of the pixels"
    return facts, codes, (f"{note}; a larger headroom keeps more.",)
