"""Visible difference in every band: contrast sensitivity and masking.

Sources: Mantiuk et al. 2011, sections 3.4 (sensitivity) and 3.5 (masking), with the refitted constants of
version 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.core.threads import in_threads
from openhdr.filters.resize import resize
from openhdr.metrics.hdrvdp.constants import constants
from openhdr.metrics.hdrvdp.eye import TABLE_DECADES, TABLE_START, Seen, look_up, pieces
from openhdr.metrics.hdrvdp.pyramid import Pyramid, build

_LOG_STEPS = 256  # of the sensitivity's table over log10 cd/m2


def difference(test: Seen, ref: Seen, ppd: float) -> Pyramid:
    """Signed visible difference in every band, in detection thresholds raised to the power p (3.5)."""
    adaptation = (test.adaptation + ref.adaptation) / 2
    tests, refs = in_threads(build, (test.response, ref.response))
    bands = list(zip(tests.bands, refs.bands, strict=True))
    last = len(bands) - 1
    surround, frequency = float(refs.bands[last].mean()), refs.frequency(last, ppd)
    ours, theirs = (
        _filter_base(plane, frequency, float(seen.adaptation.mean()), surround)
        for plane, seen in zip(bands[last], (test, ref), strict=True)
    )
    bands[last] = (ours, theirs)
    common = [np.empty_like(ours) for ours, _ in bands]
    in_threads(
        lambda planes: _shared(*planes),
        [
            planes
            for band, into in zip(bands, common, strict=True)
            for planes in zip(*band, into, strict=True)
        ],
    )
    log_adaptation = np.log10(adaptation)

    frequencies = [tests.frequency(index, ppd) for index in range(last)]
    maskers = [
        *in_threads(lambda one: Masker.of(*one, common, log_adaptation), enumerate(frequencies)),
        Masker(last, common, common[last].sum(axis=0), np.ones((1, 1)), np.ones((1, 1))),
    ]
    visible = tuple(np.empty_like(ours) for ours, _ in bands)
    places = [(one, k) for one in maskers for k in range(len(common[one.band]))]
    in_threads(
        lambda place: place[0].visible(place[1], *bands[place[0].band], visible[place[0].band]), places
    )
    return Pyramid(visible)


@dataclass(frozen=True)
class Masker:
    """What hides a difference in one band.

    common: per band (orientations, h, w), the contrast that both images share. total: (h, w), its sum over the
        orientations of this band.
    easing, threshold: (h, w), or (1, 1) in the base band: the detection threshold to the powers -q and 2 p.
    """

    band: int
    common: list[np.ndarray]
    total: np.ndarray
    easing: np.ndarray
    threshold: np.ndarray

    @classmethod
    def of(cls, band: int, frequency: float, common: list[np.ndarray], log_adaptation: np.ndarray) -> Masker:
        """log_adaptation: (H, W) log10 cd/m2."""
        masking = constants().masking
        local, table = resize(log_adaptation, common[band].shape[1:], "cubic"), sensitivity(frequency)
        easing, threshold = (np.empty(local.shape) for _ in range(2))
        for rows in pieces(len(local)):
            noise = 1 / look_up(local[rows], table)
            easing[rows], threshold[rows] = noise ** -masking["q"], noise ** (2 * masking["p"])
        return cls(band, common, common[band].sum(axis=0), easing, threshold)

    def visible(self, orientation: int, ours: np.ndarray, theirs: np.ndarray, into: np.ndarray) -> None:
        """A band of both images -> visible difference of an orientation, signed. All (orientations, h, w)."""
        masking, n = constants().masking, 2.0**self.band
        p, q = masking["p"], masking["q"]
        common = self.common[self.band][orientation]
        neighbours = self._neighbours(orientation, common.shape)
        easing, threshold = (np.broadcast_to(plane, common.shape) for plane in (self.easing, self.threshold))
        for rows in pieces(len(common)):
            own, near = common[rows], neighbours[rows]
            across = np.maximum(self.total[rows] - own, 0)
            hidden = (masking["self"] * n ** (1 - q)) * own**q
            hidden += (masking["xo"] * n ** (1 - q)) * across**q
            hidden += (masking["xn"] * n) * near**q
            hidden *= easing[rows]
            hidden *= hidden
            hidden += threshold[rows]
            difference = ours[orientation, rows] - theirs[orientation, rows]
            size = (n ** (1 - p)) * np.abs(difference) ** p
            into[orientation, rows] = np.copysign(size, difference) / np.sqrt(hidden)

    def _neighbours(self, orientation: int, shape: tuple[int, int]) -> np.ndarray:
        """Shared contrast of the bands above and below at the same orientation, at this band's size."""
        total = np.zeros(shape)
        for band in {self.band - 1, self.band + 1} & set(range(len(self.common) - 1)):
            shared = np.maximum(resize(self._at(band, orientation), shape, "cubic"), 0)
            shared *= 2.0**-band
            total += shared
        return total

    def _at(self, band: int, orientation: int) -> np.ndarray:
        """A band's plane; a band with one orientation stands for all."""
        planes = self.common[band]
        return planes[min(orientation, len(planes) - 1)]


def sensitivity(frequency: np.ndarray | float) -> np.ndarray:
    """(...) cycles per degree -> (256, ...) contrast sensitivity at log10 luminances -5..5 (section 3.4)."""
    log_luminance = np.linspace(TABLE_START, TABLE_START + TABLE_DECADES, _LOG_STEPS)
    return contrast_sensitivity(frequency, log_luminance)


def contrast_sensitivity(frequency: np.ndarray | float, log_luminance: np.ndarray | float) -> np.ndarray:
    """Sensitivity of the neural part of the eye; constant outside 0.002..150 cd/m2; broadcasts."""
    c = constants()
    p1, p2, p3, p4 = (
        np.interp(log_luminance, np.log10(c.csf_luminance), c.csf_parameters[:, k]) for k in range(4)
    )
    with np.errstate(divide="ignore"):  # frequency 0 has sensitivity 0
        drop = (1 + (p1 * frequency) ** p2) / (1 - np.exp(-((frequency / 7) ** 2))) ** p3
    return p4 / np.sqrt(drop)


def _filter_base(base: np.ndarray, frequency: float, adaptation: float, surround: float) -> np.ndarray:
    """The base band as the eye passes it at the image's mean adaptation: (1, h, w) -> (1, h, w).

    It is padded to twice its size; both images take the mean of the reference as surround.
    """
    height, width = base.shape[1:]
    rate = 2 * np.sqrt(2) * frequency  # samples per degree
    across = np.fft.rfftfreq(2 * width, 1 / rate)
    down = np.fft.fftfreq(2 * height, 1 / rate)[:, None]
    passed = contrast_sensitivity(np.sqrt(across**2 + down**2), np.log10(adaptation))
    padded = np.full((2 * height, 2 * width), surround)
    padded[:height, :width] = base[0]
    return np.fft.irfft2(np.fft.rfft2(padded) * passed, s=padded.shape)[None, :height, :width]


def _shared(ours: np.ndarray, theirs: np.ndarray, into: np.ndarray) -> None:
    """The contrast that two planes share, as the mean over 3x3 pixels, zero outside. All (h, w)."""
    np.minimum(np.abs(ours), np.abs(theirs), out=into)
    cv2.boxFilter(into, cv2.CV_64F, (3, 3), into, borderType=cv2.BORDER_CONSTANT)
