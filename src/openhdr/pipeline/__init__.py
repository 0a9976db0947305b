"""The table of contents of openhdr: what becomes of photos, from files to HDR and to a picture for a screen.

    merge      bracket_to_hdr     read -> exposures -> align -> compare -> merge
    expand     photo_to_hdr       read -> where it clips -> expand; predicted_stack: a network's exposures, merged
    tonemap    (below)            read -> tone-map

Command line, benchmark and documentation call these functions; there is no second route from files to HDR.
"""

from __future__ import annotations

from collections.abc import Sequence

from openhdr import io
from openhdr.camera.bracketing import ExposureRequest
from openhdr.core.image import Image, ImageOrPath
from openhdr.models.inference.options import RunOptions
from openhdr.pipeline.bracket_to_hdr import MergeOptions, MergeResult, merge_bracket
from openhdr.pipeline.photo_to_hdr import ExpandOptions, Expansion, expand_photo
from openhdr.tonemapping import tonemap as apply_operator

__all__ = [
    "ExpandOptions",
    "Expansion",
    "ExposureRequest",
    "MergeOptions",
    "MergeResult",
    "RunOptions",
    "expand",
    "expand_photo",
    "merge",
    "merge_bracket",
    "tonemap",
]


def merge(
    frames: Sequence[ImageOrPath],
    ev: Sequence[float] | str | None = None,
    method: str | None = None,
    align: str | None = None,
    reference: int | None = None,
) -> Image:
    """Merge a bracket into one HDR image: (H, W, 3) float32, linear Rec.709, 1.0 = the reference clips.

    frames: paths or Images, two or more, one size. ev: stops per frame (only differences matter), "auto" to
    measure them in the pixels, or None to take them from the metadata. reference: counts from 1; the middle
    exposure by default. Raises OpenHDRError with what to do. `merge_bracket` tells more and takes more options.
    """
    request = ExposureRequest(ev=ev, reference=reference)
    return merge_bracket(frames, MergeOptions(request, method=method, align=align)).image


def expand(photo: ImageOrPath, method: str | None = None) -> Image:
    """Turn one photo into an HDR image: (H, W, 3) float32, linear Rec.709, 1.0 = the photo clips."""
    return expand_photo(photo, ExpandOptions(method)).result.image


def tonemap(hdr: ImageOrPath, operator: str | None = None) -> Image:
    """Turn an HDR image into a displayable one: (H, W, 3) float32 sRGB codes 0..1."""
    image = hdr if isinstance(hdr, Image) else io.read(hdr)
    return apply_operator(image, operator)
