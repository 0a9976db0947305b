"""From light to neural response: optics of the eye, photoreceptors, response scaled in just noticeable steps.

Sources: Mantiuk et al. 2011 ("HDR-VDP-2"), sections 3.1 to 3.3; Narwaria et al. 2015 (version 2.2).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from threading import Lock

import cv2
import numpy as np

from openhdr.metrics.hdrvdp.constants import constants

SURROUND = 1e-5  # cd/m2 around the image
_DARKEST, _BRIGHTEST = 1e-5, 1e10  # cd/m2 on the retina
TABLE_START, TABLE_DECADES, _TABLE_SIZE = -5.0, 10.0, 2048  # log10 cd/m2
_ROWS = 32
_asking = Lock()  # both images of a pair are seen at the same time, and need the same optics


def pieces(length: int) -> list[slice]:
    """Rows of a plane, some at a time: what is computed of them stays in the processor's cache."""
    return [slice(start, start + _ROWS) for start in range(0, length, _ROWS)]


@dataclass(frozen=True)
class Seen:
    """What one image makes of the eye. Both (H, W) float64."""

    response: np.ndarray  # achromatic response in JND, zero mean
    adaptation: np.ndarray  # adapting luminance, cd/m2


def see(luminance: np.ndarray, ppd: float, surround: float = SURROUND) -> Seen:
    """(H, W, 3) float64 display RGB in cd/m2 -> response and adaptation. ppd: pixels per degree."""
    c = constants()
    retina = [scatter(np.ascontiguousarray(luminance[..., k]), ppd, surround) for k in range(3)]
    cone_table, rod_table = _response_tables()
    response, adaptation = (np.empty(luminance.shape[:2]) for _ in range(2))
    for part in pieces(len(response)):
        long, medium, rod = (
            sum(
                plane[part] * weight for plane, weight in zip(retina, c.lmsr_from_rgb[:, column], strict=True)
            )
            for column in (0, 1, 3)
        )
        cones = look_up(np.log10(long), cone_table) + look_up(np.log10(medium), cone_table)
        response[part] = cones + look_up(np.log10(rod), rod_table)
        adaptation[part] = long + medium
    response -= response.mean()
    return Seen(response, adaptation)


def scatter(plane: np.ndarray, ppd: float, surround: float) -> np.ndarray:
    """Blur by the optics of the eye (section 3.1): (H, W) cd/m2 -> (H, W) cd/m2.

    The image stands in a surround of its own size to the right and below, wrapped around. The constant
    surround is taken off first, so that half of the row transforms would be of zeros and can be left out. Some rows and
    columns at a time: to have memory for all takes as long as to transform them.
    """
    c = constants()
    height, width = plane.shape
    with _asking:
        passed, (down, across) = _passed(height, width, ppd)
    columns = np.empty((len(passed), height), complex)
    for part in pieces(height):
        columns[:, part] = np.fft.rfft(plane[part] - surround, n=across, axis=1).T
    for part in pieces(len(columns)):
        spectrum, half = np.fft.fft(columns[part], n=down, axis=1), passed[part]
        spectrum[:, : down // 2 + 1] *= half
        spectrum[:, down // 2 + 1 :] *= half[:, (down - 1) // 2 : 0 : -1]
        columns[part] = np.fft.ifft(spectrum, axis=1)[:, :height]
    blurred = np.empty((height, width))
    for part in pieces(height):
        rows = np.ascontiguousarray(columns[:, part].T)
        blurred[part] = np.fft.irfft(rows, n=across, axis=1)[:, :width]
        blurred[part] += surround * c.mtf_a.sum()
    return np.clip(blurred, _DARKEST, _BRIGHTEST, out=blurred)


@functools.lru_cache(maxsize=1)  # the same for all planes of a pair, and mostly of a benchmark
def _passed(height: int, width: int, ppd: float) -> tuple[np.ndarray, tuple[int, int]]:
    """((across // 2 + 1, down // 2 + 1), (down, across)): what the optics pass of a plane's frequencies.

    down, across: lengths of the transforms. A plane is half as large as its surround, so no two of its pixels are
    further apart than its size; the same blur over these distances alone has lengths that transform fast.
    """
    x = np.fft.rfftfreq(2 * width, 1 / ppd)[:, None]
    y = np.fft.rfftfreq(2 * height, 1 / ppd)
    down, passed = _shortened(_transfer(np.sqrt(x**2 + y**2)), height)
    across, passed = _shortened(np.ascontiguousarray(passed.T), width)
    return np.ascontiguousarray(passed.T), (down, across)


def _shortened(passed: np.ndarray, size: int) -> tuple[int, np.ndarray]:
    """A fast length, and what an even blur passes along rows of that length, (n, length // 2 + 1).

    passed: (n, size + 1), the same for a length of 2 * size. Both blur alike over distances below `size`.
    """
    length = cv2.getOptimalDFTSize(2 * size)
    blur = np.fft.irfft(passed, n=2 * size, axis=1)
    near = np.zeros((len(passed), length))
    near[:, :size] = blur[:, :size]
    near[:, length - size + 1 :] = blur[:, size + 1 :]
    return length, np.fft.rfft(near, axis=1).real


def _transfer(frequency: np.ndarray) -> np.ndarray:
    """Modulation transfer of the eye's optics: four falling exponentials of cycles per degree."""
    c = constants()
    return sum(a * np.exp(-b * frequency) for a, b in zip(c.mtf_a, c.mtf_b, strict=True))


@functools.cache
def _response_tables() -> tuple[np.ndarray, np.ndarray]:
    """Responses of one cone class and of the rods at _TABLE_SIZE luminances: integral of the sensitivity."""
    c = constants()
    log_luminance = np.linspace(TABLE_START, TABLE_START + TABLE_DECADES, _TABLE_SIZE)
    luminance = 10.0**log_luminance
    rods = _rod_sensitivity(luminance)
    both = np.maximum(_joint_sensitivity(luminance) - rods, 1e-3)
    # two cone classes share the light, so each is read at twice the luminance with half the sensitivity
    cones = 0.5 * np.interp(np.minimum(2 * luminance, luminance[-1]), luminance, both)
    step = np.diff(log_luminance) * np.log(10)
    integral = (
        np.concatenate([[0.0], np.cumsum((s[1:] + s[:-1]) / 2 * step)]) * c.sensitivity_correction
        for s in (cones, rods)
    )
    cone_table, rod_table = integral
    return cone_table, rod_table


def _joint_sensitivity(luminance: np.ndarray) -> np.ndarray:
    """Peak contrast sensitivity of cones and rods together (section 3.3)."""
    gain, half, inner, outer = constants().joint_sensitivity
    return gain * ((half / luminance) ** inner + 1) ** -outer


def _rod_sensitivity(luminance: np.ndarray) -> np.ndarray:
    """Contrast sensitivity of rods alone (section 3.3): a skewed bell over log luminance."""
    peak, dark_width, dark_power, bright_width, bright_power, log_gain = constants().rod_sensitivity
    power = np.where(luminance > peak, bright_power, dark_power)
    width = np.where(luminance > peak, bright_width, dark_width)
    return 10**log_gain * np.exp(-(np.abs(np.log10(luminance / peak)) ** power) / width)


def look_up(log_luminance: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Linear interpolation in a table over log10 luminances -5..5; constant outside."""
    last = len(table) - 1
    position = (log_luminance - TABLE_START) * (last / TABLE_DECADES)
    np.clip(position, 0, last, out=position)
    left = np.minimum(position.astype(np.int32), last - 1)
    return table[left] + (position - left) * np.diff(table)[left]
