"""The two images that a metric compares, checked once, with what several metrics need computed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from openhdr.color.transfer import srgb_decode
from openhdr.core.errors import RequestError
from openhdr.core.image import Image
from openhdr.core.threads import in_threads
from openhdr.metrics.hdrvdp.contrast import difference
from openhdr.metrics.hdrvdp.eye import see
from openhdr.metrics.hdrvdp.pyramid import Pyramid
from openhdr.metrics.protocol import Protocol
from openhdr.tonemapping.liang import liang_tonemap

Picture = Image | np.ndarray
_BLOCK = 1 << 16  # values: temporary arrays of a block stay in the processor's cache


@dataclass(frozen=True)
class Pair:
    """test, ref: (H, W, 3) float32 or float64, linear Rec.709, finite, equal in size (see `pair`).

    protocol: what 1.0 means in cd/m2; None where no metric needs it. shortest_ev: stops of the bracket's shortest
    frame relative to the reference, <= 0; None where no metric needs it.
    """

    test: np.ndarray
    ref: np.ndarray
    protocol: Protocol | None = None
    shortest_ev: float | None = None

    @cached_property
    def at_shortest(self) -> Pair:
        """Both images as multiples of the level where the shortest frame clips, clipped to 0..1."""
        assert self.shortest_ev is not None  # checked before any metric is computed
        test, ref = (to_shortest(one, self.shortest_ev) for one in (self.test, self.ref))
        return Pair(test, ref, self.protocol)

    @cached_property
    def ref_p99(self) -> float:
        """99th percentile of the reference, all channels together, linear interpolation; > 0."""
        level = float(np.percentile(self.ref.astype(np.float64), 99))
        if level <= 0:
            raise RequestError(f"ref: its 99th percentile is {level:g}; expected an image that is not black")
        return level

    @cached_property
    def luminance(self) -> tuple[np.ndarray, np.ndarray]:
        """(test, ref) as float64 display RGB in cd/m2, by the protocol."""
        return self.declared.luminance(self.test), self.declared.luminance(self.ref)

    @property
    def declared(self) -> Protocol:
        """The protocol. Raises RequestError where there is none."""
        if self.protocol is None:
            raise RequestError(
                "what 1.0 means in cd/m2 is not declared; set `protocol='liu2020'` or `protocol='abs:PEAK'`"
            )
        return self.protocol

    @cached_property
    def visible_difference(self) -> Pyramid:
        """Signed visible difference in every band of HDR-VDP 2.2, by the protocol."""
        ppd = self.declared.ppd
        test, ref = in_threads(lambda luminance: see(luminance, ppd), self.luminance)
        return difference(test, ref, ppd)

    @cached_property
    def tone_mapped(self) -> tuple[np.ndarray, np.ndarray]:
        """(test, ref) as float64 in 0..1 by Liang's operator, each image on its own."""
        lowest = min(self.test.min(), self.ref.min())
        if lowest < 0:
            raise RequestError(
                f"the lowest value is {lowest:g}; tone mapping needs 0 and above, clip it first"
            )
        test, ref = in_threads(lambda x: liang_tonemap(x.astype(np.float64)), (self.test, self.ref))
        return test, ref


def to_shortest(light: np.ndarray, shortest_ev: float) -> np.ndarray:
    """Light of any shape, 1.0 = the reference clips -> 1.0 = the shortest frame clips, clipped to 0..1."""
    return np.clip(light / np.float32(2.0**-shortest_ev), 0, 1)


def pair(
    test: Picture, ref: Picture, protocol: Protocol | None = None, shortest_ev: float | None = None
) -> Pair:
    """Check and linearise two images.

    Images with encoding `srgb` are linearised by the sRGB curve of code / full scale; arrays are taken as
    linear. Raises RequestError for a wrong shape, different sizes, NaN or infinite values.
    """
    ours, theirs = linear(test, "test"), linear(ref, "ref")
    if ours.shape != theirs.shape:
        raise RequestError(
            f"test is {ours.shape[1]}x{ours.shape[0]}, but ref is {theirs.shape[1]}x{theirs.shape[0]}; "
            "metrics compare images of one size"
        )
    return Pair(ours, theirs, protocol, shortest_ev)


def linear(picture: Picture, name: str) -> np.ndarray:
    """(H, W, 3) float32 or float64 linear values of an Image or array; `name` is used in errors."""
    if isinstance(picture, Image):
        values = picture.pixels
        if picture.encoding == "srgb":
            values = srgb_decode(values / picture.full_scale)
        elif values.dtype != np.float32:
            values = values / picture.full_scale
    else:
        values = np.asarray(picture)
        if values.dtype.kind != "f":
            raise RequestError(f"{name} is {values.dtype}; expected linear float values or an openhdr.Image")
    if values.ndim != 3 or values.shape[2] != 3 or 0 in values.shape:
        raise RequestError(f"{name} has shape {values.shape}; expected (height, width, 3)")
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    bad = values.size - np.count_nonzero(np.isfinite(values))
    if bad:
        raise RequestError(f"{name} holds {bad} NaN or infinite values; expected finite light")
    return values


def mean_over_blocks(
    test: np.ndarray, ref: np.ndarray, error: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> float:
    """Mean of error(test block, ref block) over all rows, block by block on all cores.

    test, ref: (H, W, ...) of any float dtype; a block is (n, ...) float64 with a whole number of pixels.
    """
    pixels = test.shape[0] * test.shape[1]
    shape = (pixels, *test.shape[2:])
    test, ref = test.reshape(shape), ref.reshape(shape)
    step = max(1, _BLOCK * pixels // test.size)

    def total(start: int) -> tuple[float, int]:
        block = slice(start, start + step)
        with np.errstate(invalid="ignore"):  # a value without an encoding gives NaN, which is then refused
            errors = error(test[block].astype(np.float64), ref[block].astype(np.float64))
        return float(errors.sum()), errors.size

    sums = in_threads(total, range(0, pixels, step))
    return sum(value for value, _ in sums) / sum(count for _, count in sums)
