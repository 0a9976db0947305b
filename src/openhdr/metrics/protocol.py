"""What the numbers of an image mean in cd/m2, and from how far it is looked at.

Metrics of human vision need both; scene-linear values say neither, so it has to be declared:

    liu2020     each image on its own is scaled so that its darkest and brightest 0.1 % reach 1 and 999
                cd/m2 (Liu et al. 2020, as the author described it); values beyond are not clipped at the top
    abs:PEAK    the value 1.0 is PEAK cd/m2; clipped to 0.005..10000 cd/m2, the range of the models

Scores under different protocols cannot be compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from openhdr.core.errors import RequestError

DARKEST, BRIGHTEST = 0.005, 10000.0  # cd/m2
LIU_LOW, LIU_HIGH, LIU_TAIL = 1.0, 999.0, 0.001  # cd/m2, cd/m2, share of all values
PPD = 30.0  # pixels per degree of visual angle


@dataclass(frozen=True)
class Protocol:
    """peak: cd/m2 of the value 1.0, or None for liu2020. ppd: pixels per degree."""

    peak: float | None
    ppd: float = PPD

    def __post_init__(self) -> None:
        if self.peak is not None and not (math.isfinite(self.peak) and self.peak > 0):
            raise RequestError(f"protocol peak is {self.peak}; expected cd/m2 above 0, such as abs:1000")
        if not (math.isfinite(self.ppd) and self.ppd > 0):
            raise RequestError(f"ppd is {self.ppd}; expected pixels per degree above 0, such as 30")

    def __str__(self) -> str:
        return f"{self.light}, {self.ppd:g} ppd"

    @property
    def light(self) -> str:
        """What 1.0 means, in words."""
        if self.peak is None:
            return f"liu2020 (each picture {LIU_LOW:g}..{LIU_HIGH:g} cd/m2)"
        return f"abs:{self.peak:g} (1.0 = {self.peak:g} cd/m2)"

    def luminance(self, linear: np.ndarray) -> np.ndarray:
        """(H, W, 3) linear -> float64 cd/m2, same shape."""
        linear = linear.astype(np.float64)
        if self.peak is None:
            return _liu2020(linear)
        return np.clip(linear * self.peak, DARKEST, BRIGHTEST)


def parse(value: str | float | Protocol | None, ppd: float = PPD) -> Protocol | None:
    """`liu2020`, `abs:PEAK`, a peak in cd/m2, or None. Raises RequestError for anything else."""
    if value is None or isinstance(value, Protocol):
        return value
    if isinstance(value, str):
        kind, _, peak = value.strip().partition(":")
        if kind == "liu2020" and not peak:
            return Protocol(None, ppd)
        try:
            number = float(peak)
        except ValueError:
            number = math.nan
        if kind != "abs" or math.isnan(number):
            raise RequestError(f"`protocol` is '{value}'; expected liu2020 or abs:PEAK, such as abs:1000")
        return Protocol(number, ppd)
    return Protocol(float(value), ppd)


def _liu2020(linear: np.ndarray) -> np.ndarray:
    count = max(1, math.floor(LIU_TAIL * linear.size + 0.5))
    ordered = np.partition(linear, (count - 1, linear.size - count), axis=None)
    low, high = ordered[count - 1], ordered[linear.size - count]
    scaled = (linear - low) * (LIU_HIGH - LIU_LOW) / (high - low + 1e-8) + LIU_LOW
    return np.maximum(scaled, 0)
