"""From light on the sensor to the code values of a file: lens shading, noise, response, bits, JPEG."""

from __future__ import annotations

from typing import Any

import numpy as np

from openhdr.color.transfer import srgb_encode
from openhdr.core.errors import RequestError
from openhdr.simulation import picture_style
from openhdr.simulation.plan import CameraPlan

UNNAMED = ("sigmoid", "style")
"""Responses that only the simulation has names for: elsewhere they are given as curves."""


def encode(light: np.ndarray, response: str) -> np.ndarray:
    """Light 0..1 -> code 0..1, any shape, by `srgb`, `linear`, `gamma:G` or `sigmoid:N:A`.

    sigmoid: (1 + a) x^n / (a + x^n), the two-parameter family of Eilertsen et al. 2017 (HDRCNN), section 3.3.
    """
    name, *numbers = response.split(":")
    if name == "srgb":
        return srgb_encode(light)
    if name == "linear":
        return light
    if name == "gamma":
        return light ** (1 / float(numbers[0]))
    if name == "sigmoid":
        power, bend = light ** float(numbers[0]), float(numbers[1])
        return (1 + bend) * power / (bend + power)
    raise RequestError(f"simulated response '{response}'; expected srgb, linear, gamma:G or sigmoid:N:A")


def decode_curve(response: str, levels: int = 1024) -> np.ndarray:
    """(levels, 3) float64: light of evenly spaced codes in R, G, B, for responses that only the simulation names."""
    code = np.linspace(0, 1, levels)
    name, *numbers = response.split(":")
    if name == "style":
        return picture_style.curves(response, code)
    if name == "sigmoid":
        n, a = map(float, numbers)
        light = (a * code / (1 + a - code)) ** (1 / n)
    else:
        fine = np.linspace(0, 1, 65536) ** 3
        light = np.interp(code, encode(fine, response), fine)
    return np.repeat(light[:, None], 3, axis=1)


def shading(x: np.ndarray, y: np.ndarray, size: tuple[int, int], vignetting: float) -> np.ndarray:
    """(N,) share of light that the lens passes at frame pixels: falls by `vignetting` up to the corners."""
    half = ((size[0] - 1) / 2, (size[1] - 1) / 2)
    square = ((x - half[0]) ** 2 + (y - half[1]) ** 2) / max(half[0] ** 2 + half[1] ** 2, 1e-12)
    return 1 - vignetting * square


def expose(light: np.ndarray, camera: CameraPlan, rng: np.random.Generator) -> np.ndarray:
    """Light, 1.0 = the sensor clips, (3, N) float64 -> codes (3, N) uint8, or uint16 for 10 and 12 bits.

    10- and 12-bit codes are spread over 0..65535, as 16-bit files hold them.
    """
    recorded = np.clip(camera.noise.add(light, rng), 0, 1)
    top = 2**camera.bits - 1
    code = np.rint(encode(recorded, camera.response) * top)
    if camera.bits == 8:
        return code.astype(np.uint8)
    return np.rint(code * (65535 / top)).astype(np.uint16)


def compress(pixels: np.ndarray, quality: int, subsampling: str = "4:2:0") -> np.ndarray:
    """(H, W, 3) uint8 RGB after a round trip through JPEG. subsampling of colour: 4:4:4, 4:2:2 or 4:2:0."""
    import cv2

    sampling = getattr(cv2, "IMWRITE_JPEG_SAMPLING_FACTOR_" + subsampling.replace(":", ""))
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], options)
    decoded: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(decoded[..., ::-1])
