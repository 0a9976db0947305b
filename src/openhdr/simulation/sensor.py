"""From light on the sensor to what a file holds: lens shading, noise, response, bits, JPEG; or the sensor's values."""

from __future__ import annotations

from typing import Any

import numpy as np

from openhdr.camera.mosaic import Mosaic, pattern_of
from openhdr.color.primaries import to_xyz
from openhdr.color.transfer import sigmoid_decode, sigmoid_encode, srgb_encode
from openhdr.core.errors import RequestError
from openhdr.core.image import REC709, Exposure
from openhdr.simulation import picture_style
from openhdr.simulation.plan import CameraPlan

UNNAMED = ("sigmoid", "style")
"""Responses that only the simulation has names for: elsewhere they are given as curves."""


def encode(light: np.ndarray, response: str) -> np.ndarray:
    """Light 0..1 -> code 0..1, any shape, by `srgb`, `linear`, `gamma:G` or `sigmoid:N:A`.

    sigmoid: see `sigmoid_encode`.
    """
    name, *numbers = response.split(":")
    if name == "srgb":
        return srgb_encode(light)
    if name == "linear":
        return light
    if name == "gamma":
        return light ** (1 / float(numbers[0]))
    if name == "sigmoid":
        return sigmoid_encode(light, *map(float, numbers))
    raise RequestError(f"simulated response '{response}'; expected srgb, linear, gamma:G or sigmoid:N:A")


def decode_curve(response: str, levels: int = 1024) -> np.ndarray:
    """(levels, 3) float64: light of evenly spaced codes in R, G, B, for responses that only the simulation names."""
    code = np.linspace(0, 1, levels)
    name, *numbers = response.split(":")
    if name == "style":
        return picture_style.curves(response, code)
    if name == "sigmoid":
        light = sigmoid_decode(code, *map(float, numbers))
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


_COLOURS = np.array([[0.75, 0.20, 0.05], [0.15, 0.75, 0.10], [0.03, 0.22, 0.75]])
"""Rec.709 light -> what the sensor's red, green and blue sites see of it, white-balanced: filters overlap."""


def record(
    light: np.ndarray, x: np.ndarray, y: np.ndarray, camera: CameraPlan, rng: np.random.Generator
) -> np.ndarray:
    """Light, 1.0 = white clips, (3, N) float64, at sites x, y -> sensor codes (N,) uint16."""
    sensor = camera.sensor
    assert sensor is not None
    pattern = pattern_of(sensor.array)
    x, y = x.astype(int), y.astype(int)
    neutral = np.array(sensor.neutral) / max(sensor.neutral)
    seen = (_COLOURS @ light) * neutral[:, None]
    behind_filter = np.take_along_axis(
        seen, pattern[y % len(pattern), x % len(pattern)][None].astype(int), 0
    )[0]
    black = np.array(sensor.black)[y % 2 * 2 + x % 2]
    codes = black + camera.noise.add(behind_filter, rng) * (sensor.white - black)
    return np.rint(np.clip(codes, 0, sensor.white)).astype(np.uint16)


def as_mosaic(codes: np.ndarray, camera: CameraPlan, ev: float) -> Mosaic:
    """Sensor codes (H, W) with what a camera writes about them; ev 0 = 1/60 s at f/8."""
    sensor = camera.sensor
    assert sensor is not None
    pattern = pattern_of(sensor.array)
    repeat = (len(pattern) // 2, len(pattern) // 2)
    neutral = np.array(sensor.neutral) / max(sensor.neutral)
    return Mosaic(
        codes, pattern, np.tile(np.reshape(sensor.black, (2, 2)), repeat).astype(np.float32),
        np.full(pattern.shape, sensor.white, np.float32), neutral,
        np.diag(neutral) @ _COLOURS @ np.linalg.inv(to_xyz(REC709)), camera.noise,
        exposure=Exposure(2.0**ev / 60, camera.iso, 8.0), metadata={"make": "openhdr", "model": "simulated sensor"},
    )  # fmt: skip


def compress(pixels: np.ndarray, quality: int, subsampling: str = "4:2:0") -> np.ndarray:
    """(H, W, 3) uint8 RGB after a round trip through JPEG. subsampling of colour: 4:4:4, 4:2:2 or 4:2:0."""
    import cv2

    sampling = getattr(cv2, "IMWRITE_JPEG_SAMPLING_FACTOR_" + subsampling.replace(":", ""))
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], options)
    decoded: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(decoded[..., ::-1])
