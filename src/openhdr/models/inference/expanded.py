"""What a method makes of one photo; known without torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PredictedExposure:
    """An exposure that a network predicts. code: (H, W, 3) float32 sRGB codes 0..1. ev: stops beyond the
    photo, as measured in the pixels.
    """

    name: str
    code: np.ndarray
    ev: float


@dataclass(frozen=True)
class Expanded:
    """linear: (H, W, 3) float32 RGB, >= 0, 1.0 = the photo clips. stack: predicted exposures, if asked for
    and the network makes any. masks: (H, W, 3) float32, how much of the longer exposure, the photo and the
    shorter one went into each pixel, None where the network has no such masks.
    """

    linear: np.ndarray
    stack: tuple[PredictedExposure, ...] = ()
    masks: np.ndarray | None = None
