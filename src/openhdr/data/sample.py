"""One bracket with its truth, and its form as a network's input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol, Self, TypeVar

import numpy as np

from openhdr.color.transfer import NETWORK_GAMMA, srgb_decode
from openhdr.core.errors import ExposureError, RequestError
from openhdr.simulation.sensor import UNNAMED, decode_curve


class Pictures(Protocol):
    """Images of one scene and one size, which are cut and turned together."""

    @property
    def shape(self) -> tuple[int, int]: ...

    @property
    def name(self) -> str: ...

    def changed(self, change: Callable[[np.ndarray], np.ndarray]) -> Self: ...


PicturesT = TypeVar("PicturesT", bound=Pictures)


@dataclass(frozen=True)
class Sample:
    """A bracket, shortest exposure first; or a lone HDR image (no frames); or a stack without truth.

    frames: N x (H, W, 3) uint8, uint16 or float32 code values, RGB.
    ev: (N,) stops relative to the reference; None where the set does not declare them.
    reference: index of the reference frame.
    response: how codes stand for light: `srgb`, `linear`, `gamma:G`, `sigmoid:N:A` or `style:...`.
    truth: (H, W, 3) float32 linear light, 1.0 = the reference clips; or None.
    extras: further images by name (`up`, `down`, `label`), in the frames' coding.
    """

    name: str
    frames: tuple[np.ndarray, ...]
    ev: tuple[float, ...] | None
    reference: int
    response: str
    truth: np.ndarray | None
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.ev is not None and len(self.ev) != len(self.frames):
            raise RequestError(
                f"sample '{self.name}' has {len(self.frames)} frames but {len(self.ev)} exposures"
            )
        sizes = {picture.shape for picture in self._pictures()}
        if len(sizes) > 1 or any(len(size) != 3 or size[2] != 3 for size in sizes):
            raise RequestError(
                f"sample '{self.name}' mixes sizes {sorted(sizes)}; expected one (height, width, 3)"
            )
        object.__setattr__(self, "extras", MappingProxyType(dict(self.extras)))

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self._pictures()[0].shape[:2]

    @property
    def nbytes(self) -> int:
        """Bytes of all images."""
        return sum(picture.nbytes for picture in self._pictures())

    def changed(self, change: Callable[[np.ndarray], np.ndarray]) -> Sample:
        """The sample with all its images cut or turned alike."""
        return replace(
            self,
            frames=tuple(change(frame) for frame in self.frames),
            truth=None if self.truth is None else change(self.truth),
            extras={name: change(picture) for name, picture in self.extras.items()},
        )

    def _pictures(self) -> list[np.ndarray]:
        return [*self.frames, *([] if self.truth is None else [self.truth]), *self.extras.values()]

    def light(self) -> np.ndarray:
        """(N, H, W, 3) float32 linear light of the frames, 1.0 = that frame clips."""
        return np.stack([decode(frame, self.response) for frame in self.frames])


@dataclass(frozen=True)
class NetworkArrays:
    """What a network takes. See the package's contract: shortest first, gamma-coded, RGB, channels first.

    frames: (N, 3, H, W) float32 in 0..1. ev: (N,) float32 relative to the reference. truth: (3, H, W) float32
    gamma-coded, 1.0 = the reference clips; None where unknown.
    """

    frames: np.ndarray
    ev: np.ndarray
    truth: np.ndarray | None


def network_arrays(sample: Sample, gamma: float = NETWORK_GAMMA) -> NetworkArrays:
    """The sample as a network sees it: frames decoded by their response, clipped, coded by ^(1/gamma).

    Raises ExposureError when the sample's exposures are unknown.
    """
    ev = exposures_of(sample)
    frames = [recode(frame, sample.response, gamma) for frame in sample.frames]
    truth = None
    if sample.truth is not None:
        coded = np.maximum(sample.truth, 0) ** np.float32(1 / gamma)
        truth = np.ascontiguousarray(coded.transpose(2, 0, 1))
    stack = np.ascontiguousarray(np.stack(frames).transpose(0, 3, 1, 2))
    return NetworkArrays(stack, np.array(ev, dtype=np.float32), truth)


def exposures_of(sample: Sample) -> tuple[float, ...]:
    """(N,) stops relative to the reference. Raises ExposureError where the set does not declare them."""
    if sample.ev is None:
        raise ExposureError(f"sample '{sample.name}' has no exposures; a network that merges needs them")
    return sample.ev


def truth_of(sample: Sample) -> np.ndarray:
    """(H, W, 3) linear light of a sample that has its truth. Raises RequestError for one that has none."""
    if sample.truth is None:
        raise RequestError(f"sample '{sample.name}' has no HDR truth; choose a data set that has")
    return sample.truth


def decode(codes: np.ndarray, response: str) -> np.ndarray:
    """(H, W, 3) uint8, uint16 or float32 codes -> float32 linear light in 0..1 (float codes above 1 clip)."""
    if codes.dtype == np.float32:
        return _decode_float(np.clip(codes, 0, 1), response).astype(np.float32)
    levels = np.iinfo(codes.dtype).max + 1
    return _table(response, levels).astype(np.float32)[codes, (0, 1, 2)]


def recode(codes: np.ndarray, response: str, gamma: float) -> np.ndarray:
    """(H, W, 3) codes of a camera -> float32 light^(1/gamma) in 0..1; exact if the response is that gamma."""
    top = 1.0 if codes.dtype == np.float32 else float(np.iinfo(codes.dtype).max)
    if response == f"gamma:{gamma:g}":
        return np.clip(codes.astype(np.float32) / np.float32(top), 0, 1)
    if codes.dtype == np.float32:
        return decode(codes, response) ** np.float32(1 / gamma)
    table = _table(response, int(top) + 1) ** (1 / gamma)
    return table.astype(np.float32)[codes, (0, 1, 2)]


def _table(response: str, levels: int) -> np.ndarray:
    """(levels, 3) float64 light of every code."""
    if response.startswith(UNNAMED):
        return decode_curve(response, levels)
    return np.repeat(_decode_float(np.linspace(0, 1, levels), response)[:, None], 3, axis=1)


def _decode_float(codes: np.ndarray, response: str) -> np.ndarray:
    if response == "srgb":
        return srgb_decode(codes)
    if response == "linear":
        return codes
    if response.startswith("gamma:"):
        return codes ** float(response.removeprefix("gamma:"))
    even, curve = np.linspace(0, 1, 65536), decode_curve(response, 65536)
    return np.stack([np.interp(codes[..., c], even, curve[:, c]) for c in range(3)], axis=-1)
