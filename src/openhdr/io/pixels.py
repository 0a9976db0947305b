"""Between what files store and what an Image holds: channels, orientation, finite light, code values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from openhdr.color.channels import any_channel, brightest_channel, share_above
from openhdr.color.primaries import conversion, same, title_of
from openhdr.color.transfer import srgb_decode, srgb_encode
from openhdr.core.image import REC709, Chromaticities, Image
from openhdr.core.threads import in_threads

ResultT = TypeVar("ResultT")

OUTSIDE = -0.002  # of the largest channel: what lies farther below 0 is a colour that was lost, not rounding
ROWS_AT_A_TIME = 64  # keeps temporaries of curves within the cache


def as_rgb(pixels: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """(H, W), (H, W, 1), (H, W, 2) grey+alpha, (H, W, 3) or (H, W, 4) RGB+alpha -> (H, W, 3), and notes."""
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    channels = pixels.shape[2]
    notes = ("The alpha channel was dropped.",) if channels in (2, 4) else ()
    if channels <= 2:
        grey = pixels[..., :1]
        return np.repeat(grey, 3, axis=2), notes
    return np.ascontiguousarray(pixels[..., :3]), notes


def orient(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn stored pixels (H, W, C) upright. orientation: EXIF 1..8 (tag 0x0112), else unchanged."""
    if orientation in (5, 6, 7, 8):  # the stored rows are the upright columns
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def clean(linear: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Finite light >= 0 and notes that count the changes.

    linear: float32, changed in place. NaN and -Inf -> 0, +Inf -> the largest finite value, negative -> 0.
    """
    low, high = linear.min(), linear.max()  # NaN spreads through both
    if low >= 0 and np.isfinite(high):
        return linear, ()
    nan, infinite, negative = np.isnan(linear), np.isposinf(linear), linear < 0
    notes = [
        f"{int(mask.sum())} {what}."
        for mask, what in (
            (nan, "values were not a number and were set to 0"),
            (infinite, "values were infinite and were set to the largest finite value"),
            (negative, "values were negative and were set to 0"),
        )
        if mask.any()
    ]
    linear[nan | negative] = 0
    linear[infinite] = np.max(linear, initial=0, where=~infinite)
    return linear, tuple(notes)


def linear_values(image: Image, primaries: Chromaticities = REC709) -> tuple[np.ndarray, tuple[str, ...]]:
    """(H, W, 3) float32 linear light of any Image in `primaries`, 1.0 = full scale of code values; and notes."""
    pixels = image.pixels
    if image.encoding == "linear":
        linear = pixels if pixels.dtype == np.float32 else pixels.astype(np.float32) / image.full_scale
    elif pixels.dtype == np.float32:
        linear = by_rows(pixels, srgb_decode, np.float32)
    else:
        light = srgb_decode(np.arange(int(image.full_scale) + 1) / image.full_scale).astype(np.float32)
        linear = by_rows(pixels, light.take, np.float32)
    return converted(linear, image.primaries, primaries)


def converted(
    linear: np.ndarray, source: Chromaticities, target: Chromaticities
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Linear light (H, W, 3) float32 in other primaries, and a note. Colours beyond them lose what is negative."""
    if same(source, target):
        return linear, ()
    import cv2

    matrix = conversion(source, target)
    outside = []

    def convert(rows: np.ndarray) -> np.ndarray:
        out = cv2.transform(rows, matrix)
        outside.append(np.count_nonzero(any_channel(out < OUTSIDE * brightest_channel(out)[..., None])))
        return np.maximum(out, 0, out=out)

    linear = by_rows(linear, convert, np.float32)
    share = sum(outside) / linear[..., 0].size
    cut = f"; {share:.1%} of the pixels lie outside and were cut" if share >= 0.0005 else ""
    return linear, (f"Colours were converted from {title_of(source)} to {title_of(target)}{cut}.",)


def in_primaries(image: Image, primaries: Chromaticities) -> Image:
    """The image in other primaries: light stays float32, code values become uint16. What was lost is in the notes."""
    if same(image.primaries, primaries):
        return image
    pixels, notes = (
        linear_values(image, primaries)
        if image.encoding == "linear"
        else code_values(image, np.uint16, primaries)
    )
    return replace(image, pixels=pixels, primaries=primaries, notes=image.notes + notes)


def code_values(
    image: Image, dtype: type[np.uint8] | type[np.uint16], primaries: Chromaticities = REC709
) -> tuple[np.ndarray, tuple[str, ...]]:
    """(H, W, 3) sRGB-curve code values of any Image in `primaries`; notes, one when light above 1.0 was clipped."""
    if image.encoding == "srgb" and same(image.primaries, primaries):
        return _requantised(image.pixels, dtype), ()
    peak = np.iinfo(dtype).max
    linear, notes = linear_values(image, primaries)
    codes = by_rows(linear, lambda rows: np.rint(srgb_encode(np.clip(rows, 0, 1)) * peak), dtype)
    if image.encoding == "srgb":
        return codes, notes
    above = share_above(linear, 1)
    clipped = (
        f"Light above 1.0 was clipped in {above:.1%} of the pixels; an HDR format or tone mapping keeps it."
    )
    return codes, (*notes, clipped) if above > 0 else notes


def _requantised(pixels: np.ndarray, dtype: type[np.uint8] | type[np.uint16]) -> np.ndarray:
    if pixels.dtype == dtype:
        return pixels
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint16) * 257
    if pixels.dtype == np.uint16:
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    peak = np.iinfo(dtype).max
    return by_rows(pixels, lambda rows: np.rint(np.clip(rows, 0, 1) * peak), dtype)


def by_rows(pixels: np.ndarray, curve: Callable[[np.ndarray], np.ndarray], dtype: type) -> np.ndarray:
    """`curve` applied to an image (H, W, C), strip by strip."""
    out: np.ndarray = np.empty(pixels.shape, dtype)

    def work(rows: slice) -> None:
        out[rows] = curve(pixels[rows])

    in_strips(work, len(pixels))
    return out


def in_strips(work: Callable[[slice], ResultT], height: int) -> list[ResultT]:
    """`work` on some rows of an image at a time, on all cores; its results from the top down."""
    return in_threads(work, [slice(top, top + ROWS_AT_A_TIME) for top in range(0, height, ROWS_AT_A_TIME)])
