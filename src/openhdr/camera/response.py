"""Camera response: how code values of a photo stand for linear light.

A response is a curve per channel from code (0..1) to linear light (0..1, non-decreasing, 1.0 = the light at
which the sensor clips). Known by name: `srgb`, `typical`, `gamma:2.2`, `linear`; recovered from a bracket by
`camera.calibration`; or read from a file written by `Response.save`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from openhdr.camera.noise import TYPICAL, PhotoNoise
from openhdr.color.transfer import sigmoid_decode, srgb_decode
from openhdr.core.errors import FileError, RequestError
from openhdr.core.files import parsed, whole_file
from openhdr.core.image import Image

ASSUMED_RESPONSE = "srgb"  # of photos, unless something else is stated
# of cameras: exposures are measured through it, as sRGB's contrast is a third less
TYPICAL_RESPONSE = "typical"
MEAN_OF_CAMERAS = "the mean of many cameras"  # what messages call it
# the mean of the 201 curves of Grossberg & Nayar's database, as Eilertsen et al. 2017 (HDRCNN), section 3.3, fit it;
# cameras depart from it by about so many 8-bit codes
_TYPICAL_SIGMOID, _TYPICAL_ERROR = (0.9, 0.6), 6.0

FORMAT = "openhdr-response-1"
MAKE_ONE = "make one with openhdr calibrate"
_NEAR = 8  # 8-bit codes around a code whose steps count for it
CRUSHED, SURE, LEAST_SURE = 2, 12, 1e-3  # codes between which trust in dark codes rises, from that share
_FINE = 65536  # samples of an analytic curve: one per 16-bit code, so that 8- and 16-bit tables are exact


@dataclass(frozen=True)
class Response:
    """A response curve.

    name: how it is written on the command line, or `calibrated:METHOD`.
    curve: (K, 3) float32, K evenly spaced codes from 0 to 1, linear light 0..1, non-decreasing.
    error: root mean square error, in 8-bit codes, with which it predicts the photos it was measured on; 0 = it was
        not measured.
    camera: `Make Model` of the camera whose it is; empty = of any.
    """

    name: str
    curve: np.ndarray
    error: float = 0.0
    camera: str = ""

    def __post_init__(self) -> None:
        curve = np.asarray(self.curve, dtype=np.float32)
        if curve.ndim != 2 or curve.shape[1] != 3 or len(curve) < 2 or not np.isfinite(curve).all():
            raise RequestError(
                f"response '{self.name}': expected a finite (K, 3) curve; got shape {curve.shape}"
            )
        if (np.diff(curve, axis=0) < 0).any() or curve.min() < 0 or not np.isclose(curve.max(), 1):
            raise RequestError(f"response '{self.name}': the curve must rise from >= 0 to 1 without falling")
        if not 0 <= self.error <= 255:
            raise RequestError(f"response '{self.name}': its error is {self.error}; expected 0 to 255 codes")
        object.__setattr__(self, "curve", curve)

    @property
    def noise(self) -> PhotoNoise:
        """The noise of photos with this response: a sensor's, or the error of codes that was measured with it."""
        return PhotoNoise(2e-5, 1e-4, max(self.error, 1.0)) if self.error else TYPICAL

    def table(self, dtype: np.dtype) -> np.ndarray:
        """(256 or 65536, 3) float32: linear light of every code of an integer dtype."""
        levels = np.iinfo(dtype).max + 1
        if len(self.curve) == levels:
            return self.curve
        if levels not in self._tables:
            self._tables[levels] = self._at(np.linspace(0, 1, levels))
        return self._tables[levels]

    @cached_property
    def _tables(self) -> dict[int, np.ndarray]:
        """Tables that were asked for, by their number of codes."""
        return {}

    def decode(self, image: Image) -> np.ndarray:
        """(H, W, 3) float32 linear light, 1.0 = the sensor clips. A linear image comes back as it is."""
        pixels = image.pixels
        if image.encoding == "linear":
            return (
                pixels
                if pixels.dtype == np.float32
                else pixels.astype(np.float32) / np.float32(image.full_scale)
            )
        if pixels.dtype == np.float32:
            return np.stack([self._at(pixels[..., c])[..., c] for c in range(3)], axis=-1)
        table = self.table(pixels.dtype)
        return np.stack([np.take(table[:, c], pixels[..., c]) for c in range(3)], axis=-1)

    def encode(self, linear: np.ndarray) -> np.ndarray:
        """(..., 3) linear light -> code values 0..1 float32; light above 1 clips.

        Where the curve is flat the lowest code is taken.
        """
        codes = np.linspace(0, 1, len(self.curve))
        rising = self.curve + np.arange(len(self.curve))[:, None] * 1e-12
        out = [np.interp(np.clip(linear[..., c], 0, 1), rising[:, c], codes) for c in range(3)]
        return np.stack(out, axis=-1).astype(np.float32)

    def step(self, light: np.ndarray) -> np.ndarray:
        """(..., 3) light -> the light between neighbouring 8-bit codes there, float32: what rounding to codes hides."""
        return at_root(self._step_table, light)

    @cached_property
    def _step_table(self) -> np.ndarray:
        fine = np.square(np.linspace(0, 1, _FINE))  # of light: dense where curves are steep
        coarse = self._at(np.linspace(0, 1, 256))
        steps = np.gradient(coarse, axis=0)
        # the widest of the codes near: at the toe of film and of scans light is lost in a few codes of next to none
        near = np.pad(steps, ((_NEAR, _NEAR), (0, 0)), mode="edge")
        steps = np.max([near[k : k + len(steps)] for k in range(2 * _NEAR + 1)], axis=0)
        return np.stack([np.interp(fine, coarse[:, c], steps[:, c]) for c in range(3)], axis=1).astype(
            np.float32
        )

    def relative_steps(self) -> tuple[np.ndarray, np.ndarray]:
        """((256, 3) light of the 8-bit codes, (256, 3) share of it that one code makes), smoothed over some codes."""
        curve = self._at(np.linspace(0, 1, 256)).astype(np.float64)
        log = np.log(np.maximum(curve, curve[1] / 2 + 1e-9))
        log = np.pad(log, ((_NEAR, _NEAR), (0, 0)), mode="edge")
        log = np.stack([np.convolve(one, np.ones(_NEAR + 1) / (_NEAR + 1), "same") for one in log.T], axis=1)
        return curve, np.maximum(np.gradient(log, axis=0)[_NEAR:-_NEAR], 1e-3)

    def _at(self, codes: np.ndarray) -> np.ndarray:
        grid = np.linspace(0, 1, len(self.curve))
        return np.stack([np.interp(codes, grid, self.curve[:, c]) for c in range(3)], axis=-1).astype(
            np.float32
        )

    def save(self, path: str | Path) -> None:
        """Write the curve as JSON, for `response=FILE`."""
        facts = {
            "format": FORMAT,
            "name": self.name,
            "camera": self.camera,
            "error": self.error,
            "curve": [[float(f"{v:.7g}") for v in row] for row in self.curve],
        }
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(facts, ensure_ascii=False), "utf-8")


class LightVariance:
    """How noisy the light of a photo is: a table over light of shot l + read^2 + (codes dl/dcode)^2.

    Without a response (a linear frame), or without a stated error of codes, it is the sensor's noise alone. Codes near
    black count less still: cameras crush them.
    processed: whether errors of codes are part of it.
    """

    def __init__(self, noise: PhotoNoise, response: Response | None) -> None:
        light = np.square(np.linspace(0, 1, _FINE, dtype=np.float32))  # dense where curves are steep
        sensor = noise.shot * light + np.float32(noise.read**2)
        self._table = np.repeat(sensor[:, None], 3, axis=1)
        self._noise = noise
        self.processed = response is not None and noise.codes > 0
        if response is not None and noise.codes > 0:
            curve, relative = response.relative_steps()
            codes = np.arange(len(curve))
            sure = np.clip((codes - CRUSHED) / (SURE - CRUSHED), LEAST_SURE, 1)[:, None]
            added = np.square(noise.codes * relative * curve) / sure
            for channel in range(3):
                rising = curve[:, channel] + codes * 1e-12
                self._table[:, channel] += np.interp(light, rising, added[:, channel])

    def variances(self, light: np.ndarray) -> np.ndarray:
        """(h, W, 3) light, 1.0 = clips -> (h, W, 3) float32 variance."""
        return at_root(self._table, light)

    def at_level(self, level: np.ndarray) -> np.ndarray:
        """(h, W) light of one channel -> (h, W) float32 variance of the sensor alone."""
        return level * np.float32(self._noise.shot) + np.float32(self._noise.read**2)


def at_root(table: np.ndarray, light: np.ndarray) -> np.ndarray:
    """(..., 3) light -> (..., 3) float32 values of a table (65536, 3) over the square root of light, 0 to 1."""
    place = cv2.sqrt(np.clip(light, 0, 1))
    place *= np.float32(_FINE - 1)
    return cv2.LUT(place.astype(np.uint16).reshape(-1, 1, 3), table[None]).reshape(light.shape)


def analytic(name: str) -> Response:
    """The response called `srgb`, `typical` (the mean of many cameras), `linear` or `gamma:G` (code = light^(1/G))."""
    code, error = np.linspace(0, 1, _FINE), 0.0
    if name == TYPICAL_RESPONSE:
        curve, error = sigmoid_decode(code, *_TYPICAL_SIGMOID), _TYPICAL_ERROR
    elif name == "srgb":
        curve = srgb_decode(code)
    elif name == "linear":
        curve = code
    else:
        curve = code ** _gamma_of(name)
    return Response(name, np.repeat(curve[:, None], 3, axis=1), error)


def _gamma_of(name: str) -> float:
    try:
        gamma = float(name.removeprefix("gamma:"))
    except ValueError:
        gamma = np.nan
    if not name.startswith("gamma:") or not 0.2 <= gamma <= 5:
        raise RequestError(
            f"response '{name}': expected srgb, typical, linear, calibrate, gamma:G (G from 0.2 to 5) or a file"
        )
    return gamma


def load(path: str | Path) -> Response:
    """Read a curve written by `Response.save`. Raises FileError when it is not one."""
    facts = parsed(Path(path), json.loads, "a response curve", MAKE_ONE)
    try:
        if facts["format"] != FORMAT:
            raise KeyError("format")
        with np.errstate(over="ignore"):  # infinities are refused as such
            curve = np.array(facts["curve"], dtype=np.float32)
            return Response(
                str(facts["name"]), curve, float(facts.get("error", 0)), str(facts.get("camera", ""))
            )
    except (ValueError, OverflowError, KeyError, TypeError, RequestError) as error:
        raise FileError(path, f"is not a response curve ({error})", MAKE_ONE) from error


def parse(given: Response | str) -> Response:
    """A response as options give it: a name, or the path of a saved curve; one at hand is taken as it is."""
    if isinstance(given, Response):
        return given
    return load(given) if Path(given).suffix == ".json" or Path(given).is_file() else analytic(given)
