"""The published numbers of HDR-VDP 2.2, from constants.json (which names their sources)."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Constants:
    """Numbers of the model. Luminance in cd/m2, spatial frequency in cycles per degree."""

    lmsr_from_rgb: np.ndarray  # (3, 4): display RGB -> responses of L, M, S cones and rods
    mtf_a: np.ndarray  # (4,) weights of the eye's modulation transfer function
    mtf_b: np.ndarray  # (4,) decay rates of the same
    csf_luminance: np.ndarray  # (6,) adapting luminances of the rows of csf_parameters
    csf_parameters: np.ndarray  # (6, 4)
    joint_sensitivity: tuple[float, ...]  # cones and rods together
    rod_sensitivity: tuple[float, ...]
    sensitivity_correction: float  # makes one JND of the response equal one unit
    masking: dict[str, float]  # exponents p, q and gains self, xo (orientations), xn (bands), not logarithms
    quality_frequency: np.ndarray  # (10,) falling
    quality_weight: np.ndarray  # (10,)
    high0: np.ndarray  # (15, 15) residual high-pass
    low0: np.ndarray  # (9, 9) first low-pass
    low: np.ndarray  # (17, 17) low-pass before halving
    oriented: np.ndarray  # (4, 9, 9)


@functools.cache
def constants() -> Constants:
    """Read once."""
    raw = json.loads((Path(__file__).parent / "constants.json").read_text(encoding="utf-8"))
    sp3 = raw["sp3"]
    return Constants(
        lmsr_from_rgb=np.array(raw["lmsr_from_rgb"]),
        mtf_a=np.array(raw["mtf_a"]),
        mtf_b=np.array(raw["mtf_b"], dtype=float),
        csf_luminance=np.array(raw["csf_luminance"]),
        csf_parameters=np.array(raw["csf_parameters"]),
        joint_sensitivity=tuple(raw["joint_sensitivity"]),
        rod_sensitivity=tuple(raw["rod_sensitivity"]),
        sensitivity_correction=raw["sensitivity_correction"],
        masking={name: 10.0**value for name, value in raw["masking_log10"].items()},
        quality_frequency=np.array(raw["quality_frequency"]),
        quality_weight=np.array(raw["quality_weight"]),
        high0=np.array(sp3["hi0filt"]),
        low0=np.array(sp3["lo0filt"]),
        low=np.array(sp3["lofilt"]),
        oriented=np.array(sp3["bfilts"]),
    )
