"""Transfer curves between code values and linear light, as pure NumPy functions."""

from __future__ import annotations

import math

import numpy as np

NETWORK_GAMMA = 2.24
"""Exponent of the NTIRE / HdM data, in whose codes the networks work: code = light ** (1 / 2.24)."""

MU = 5000.0
"""Of the mu-law in the HDR merging papers."""

# IEC 61966-2-1:1999, clauses 5.2 and 5.3
SRGB_SLOPE = 12.92
SRGB_OFFSET = 0.055
SRGB_GAMMA = 2.4
SRGB_CODE_BREAK = 0.04045
SRGB_LINEAR_BREAK = 0.0031308


def srgb_decode(code: np.ndarray) -> np.ndarray:
    """sRGB code values -> linear light. Any shape, float, 0..1 (negative values continue the linear part)."""
    code = np.asarray(code)
    curve = ((np.maximum(code, SRGB_CODE_BREAK) + SRGB_OFFSET) / (1 + SRGB_OFFSET)) ** SRGB_GAMMA
    return np.where(code <= SRGB_CODE_BREAK, code / SRGB_SLOPE, curve)


def srgb_encode(linear: np.ndarray) -> np.ndarray:
    """Linear light -> sRGB code values. Any shape, float; values above 1 continue the curve."""
    linear = np.asarray(linear)
    curve = (1 + SRGB_OFFSET) * np.maximum(linear, SRGB_LINEAR_BREAK) ** (1 / SRGB_GAMMA) - SRGB_OFFSET
    return np.where(linear <= SRGB_LINEAR_BREAK, linear * SRGB_SLOPE, curve)


def sigmoid_decode(code: np.ndarray, power: float, bend: float) -> np.ndarray:
    """Code values 0..1 -> linear light 0..1, any shape: the inverse of `sigmoid_encode`."""
    return (bend * code / (1 + bend - code)) ** (1 / power)


def sigmoid_encode(linear: np.ndarray, power: float, bend: float) -> np.ndarray:
    """Linear light 0..1 -> code values 0..1, any shape: (1 + a) x^n / (a + x^n), n = power, a = bend.

    The two-parameter family of camera curves of Eilertsen et al. 2017 (HDRCNN), section 3.3.
    """
    raised = linear**power
    return (1 + bend) * raised / (bend + raised)


def mu_law(linear: np.ndarray, mu: float = MU) -> np.ndarray:
    """log(1 + mu x) / log(1 + mu): the range compression of the HDR merging papers (Kalantari 2017, eq. 6).

    linear: any shape, float, >= 0; 1.0 maps to 1.0, values above 1 are not clipped. The type is kept.
    """
    return np.log1p(mu * np.asarray(linear)) / math.log1p(mu)
