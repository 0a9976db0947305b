"""Exposures of a bracket: from metadata, from the user, or estimated from the pixels.

The relative exposure of a shot is H = t * ISO/100 / N^2 (shutter time t in seconds, aperture N); its EV is
log2 H up to a constant. Only differences within a bracket matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from openhdr.core.errors import ExposureError
from openhdr.core.image import Exposure, Image

REMEDY = "give them as `ev` or `times`, or estimate them from the pixels with `ev='auto'`"
SAME_EV = 0.05  # two exposures closer than this are one: a third of a stop is the finest camera step


def ev_from_metadata(exposures: Sequence[Exposure | None], names: Sequence[str]) -> np.ndarray:
    """(N,) float64 stops, log2(t * ISO/100 / N^2), from what the cameras recorded.

    A tag that no frame has (a manual lens without aperture, say) is taken as equal in all. Raises
    ExposureError where the shutter time is missing, or a tag is missing in some frames only.
    """
    found = [exposure or Exposure() for exposure in exposures]
    for tag, label in (("time_s", "shutter time"), ("iso", "ISO"), ("f_number", "aperture")):
        missing = [
            name for name, exposure in zip(names, found, strict=True) if getattr(exposure, tag) is None
        ]
        if missing and (tag == "time_s" or len(missing) < len(found)):
            raise ExposureError(f"{missing[0]}: no {label} in the metadata; {REMEDY}")
    ev = np.array([relative_ev(exposure) for exposure in found])
    return ev


def relative_ev(exposure: Exposure) -> float:
    """log2(t * ISO/100 / N^2) of a shot with a known shutter time; an unknown ISO counts as 100, aperture as 1."""
    if exposure.time_s is None:
        raise ExposureError(f"a shot has no shutter time; {REMEDY}")
    iso, aperture = exposure.iso or 100.0, exposure.f_number or 1.0
    return float(np.log2(exposure.time_s * iso / 100 / aperture**2))


def ev_from_times(times_s: Sequence[float], names: Sequence[str]) -> np.ndarray:
    """(N,) float64 stops from shutter times in seconds."""
    _check_count(times_s, names, "times")
    times = np.asarray(times_s, dtype=np.float64)
    if not (np.isfinite(times).all() and (times > 0).all()):
        raise ExposureError(
            f"`times={_list(times)}`: every shutter time must be a finite number above 0 seconds"
        )
    return np.log2(times)


def ev_from_user(ev: Sequence[float], names: Sequence[str]) -> np.ndarray:
    """(N,) float64 stops as the user gave them."""
    _check_count(ev, names, "ev")
    stops = np.asarray(ev, dtype=np.float64)
    if not np.isfinite(stops).all() or np.abs(stops).max() > 60:
        raise ExposureError(f"`ev={_list(stops)}`: every value must be a finite number of stops within +-60")
    return stops


def all_equal(ev: np.ndarray) -> bool:
    """Whether the frames are a burst: all of the same exposure, to be merged for less noise."""
    return bool(np.ptp(ev) < SAME_EV)


def _check_count(values: Sequence[float], names: Sequence[str], option: str) -> None:
    if len(values) != len(names):
        raise ExposureError(
            f"`{option}` has {len(values)} values for {len(names)} frames; give one per frame"
        )


def _list(values: np.ndarray) -> str:
    return ",".join(f"{value:g}" for value in values)


def clipping_luminance(exposure: Exposure | None) -> float | None:
    """Scene luminance in cd/m2 at which a shot clips, or None where time, ISO or aperture are unknown.

    ISO 12232:2019, saturation-based speed S = 78 / H with the focal-plane exposure H = 0.65 L t / N^2, hence
    L = 120 N^2 / (t S). Cameras keep some headroom, so this is right to about half a stop.
    """
    if exposure is None or exposure.time_s is None or exposure.iso is None or exposure.f_number is None:
        return None
    return 78 / 0.65 * exposure.f_number**2 / (exposure.time_s * exposure.iso)


def with_white_luminance(image: Image) -> Image:
    """Note the luminance of the value 1.0 of an HDR image where its exposure tells it."""
    white = clipping_luminance(image.exposure)
    return replace(image, metadata={**image.metadata, "white_luminance": white}) if white else image
