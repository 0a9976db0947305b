"""A registered bracket: the frames as codes, and how they become light in the reference's geometry.

Nothing is resampled or decoded before it is needed: mergers ask for strips of rows, so that memory stays near the
frames and the result themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import cv2
import numpy as np

from openhdr.camera.clipping import clip_code
from openhdr.camera.noise import TYPICAL, PhotoNoise
from openhdr.camera.response import LightVariance, Response
from openhdr.color.channels import along_row, brightest_channel, look_up
from openhdr.core.image import Bracket, Image
from openhdr.core.threads import in_threads
from openhdr.geometry import Registration, resize_strip, sampling_positions

CLIP_FULL = 0.90  # code (0..1) up to which a pixel is surely not clipped
CLIP_NONE = 0.98  # code from which it is taken as clipped
CRUSHED_CODE = 6  # of 255, up to which a processed photo is taken as black
CLIPPED_SHARE = 0.93  # share of its clipping level from which the light of one channel is taken as clipped
STRIP_PIXELS = 240_000  # small enough for a core's cache, large enough that NumPy's calls do not count
STRIP_STEP = 8  # rows


@dataclass(frozen=True)
class Strip:
    """Some rows of a registered bracket. Lists have one entry a frame, in the bracket's order.

    light: (h, W, 3) float32, linear, 1.0 = that frame clips.
    saturation_weight: (h, W) float32 0..1; 1 = all channels well below clipping, 0 = one of them clips.
    consistency: (h, W) float32 0..1; 0 = outside the frame or a ghost.
    top: (3,) float32, the light at which each channel clips: 1, or somewhat less for a calibrated response.
    moved: whether the frame was resampled.
    ev: (N,) float64, stops relative to the reference; light / 2^ev is on the reference's scale.
    noise: of the light of each frame. darkest: luminance below which a frame is crushed, 0 = none is.
    chosen: (h, W) float32 0..1 where the user chose a frame, or None; see `retouch`.
    """

    light: list[np.ndarray]
    saturation_weight: list[np.ndarray]
    consistency: list[np.ndarray]
    top: list[np.ndarray]
    moved: list[bool]
    ev: np.ndarray
    reference: int
    noise: list[LightVariance]
    darkest: list[float]
    chosen: np.ndarray | None = None

    @property
    def shortest(self) -> int:
        """Index of the frame with the least exposure."""
        return int(np.argmin(self.ev))

    @cached_property
    def usable(self) -> list[np.ndarray]:
        """Per frame (h, W) float32 0..1: consistency times saturation weight."""
        return [one * room for one, room in zip(self.consistency, self.saturation_weight, strict=True)]

    def cut(self, rows: slice) -> Strip:
        """Some rows of the strip."""
        return replace(
            self,
            light=[one[rows] for one in self.light],
            saturation_weight=[one[rows] for one in self.saturation_weight],
            consistency=[one[rows] for one in self.consistency],
            chosen=None if self.chosen is None else self.chosen[rows],
        )

    def clipped(self, index: int) -> np.ndarray:
        """(h, W, 3) bool: which channels of a frame are clipped or about to."""
        light = self.light[index]
        return light >= along_row(np.float32(CLIPPED_SHARE) * self.top[index], light.shape[1])


@dataclass(frozen=True)
class RegisteredBracket:
    """A bracket with everything that is known about its frames before merging. Lists have one entry a frame.

    responses: what decodes each frame. registrations: where it lies.
    invalid: mask (H, W) bool of pixels that are no part of the photo, or None. Empty = all are.
    consistency: map (h, w) float32 0..1 in the reference's geometry at any size, 0 = a ghost; None or empty = no
        ghost is known.
    hole_fill: (h, w, 3) float32 radiance at any size for places that no consistent frame measured, or None.
    noise: of every frame, in units of its clipping level.
    clip: the code value at which the frames clip; 0 = found in their pixels.
    chosen: (h, w) float32 0..1 at any size, 1 = the user chose a frame and nothing is filled in; None = nowhere.
    """

    bracket: Bracket
    responses: list[Response]
    registrations: list[Registration]
    invalid: list[np.ndarray | None] = field(default_factory=list)
    consistency: list[np.ndarray | None] = field(default_factory=list)
    hole_fill: np.ndarray | None = None
    noise: PhotoNoise = TYPICAL
    clip: float = 0.0
    chosen: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not self.clip:
            images = [frame.image for frame in self.bracket.frames]
            object.__setattr__(self, "clip", clip_code(images))
        for name in ("invalid", "consistency"):
            object.__setattr__(self, name, getattr(self, name) or [None] * len(self.bracket.frames))

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of every frame."""
        height, width, _ = self.bracket.frames[0].image.pixels.shape
        return height, width

    @cached_property
    def tops(self) -> list[np.ndarray]:
        """Per frame the light (3,) at which its channels clip."""
        if not np.isfinite(self.clip):
            return [np.full(3, np.inf, np.float32)] * len(self.responses)
        share = self.clip / self.bracket.frames[0].image.full_scale
        linear = [frame.image.encoding == "linear" for frame in self.bracket.frames]
        return [
            np.ones(3, np.float32) if straight else response.curve[round(share * (len(response.curve) - 1))]
            for response, straight in zip(self.responses, linear, strict=True)
        ]

    @cached_property
    def light_variance(self) -> list[LightVariance]:
        """Per frame the variance of its light."""
        straight = [frame.image.encoding == "linear" for frame in self.bracket.frames]
        responses = [None if linear else one for linear, one in zip(straight, self.responses, strict=True)]
        # mostly one response for all frames, and its table is large
        made = {
            id(one): LightVariance(self.noise, one) for one in {id(one): one for one in responses}.values()
        }
        return [made[id(one)] for one in responses]

    def strip(self, rows: slice) -> Strip:
        """Cut, resample and decode some rows of every frame."""
        strip = self._as_strip([self.frame_strip(index, rows) for index in range(len(self.bracket.frames))])
        chosen = None if self.chosen is None else resize_strip(self.chosen, rows, self.shape)
        return replace(strip, chosen=chosen)

    def _as_strip(self, parts: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Strip:
        """parts: per frame its light, saturation weight and consistency."""
        light, saturation_weight, consistency = zip(*parts, strict=True)
        return Strip(
            list(light),
            list(saturation_weight),
            list(consistency),
            self.tops,
            [one.moves for one in self.registrations],
            self.bracket.ev,
            self.bracket.reference,
            self.light_variance,
            [float(self.darkest(index).mean()) for index in range(len(self.registrations))],
        )

    def whole(self, rows: slice = slice(None)) -> Strip:
        """All rows, or some, as one strip, cut on all cores: for small pictures."""
        indices = range(len(self.bracket.frames))
        return self._as_strip(in_threads(lambda index: self.frame_strip(index, rows), indices))

    def only(self, frames: Sequence[int]) -> RegisteredBracket:
        """The bracket of some of its frames, of which the first is the reference."""
        return replace(
            self,
            bracket=Bracket(tuple(self.bracket.frames[index] for index in frames), 0),
            responses=[self.responses[index] for index in frames],
            registrations=[self.registrations[index] for index in frames],
            invalid=[self.invalid[index] for index in frames],
            consistency=[self.consistency[index] for index in frames],
        )

    def strip_with(self, strip: Strip, index: int) -> Strip:
        """A strip of all rows with one of its frames cut anew."""
        parts = list(zip(strip.light, strip.saturation_weight, strip.consistency, strict=True))
        parts[index] = self.frame_strip(index, slice(None))
        return self._as_strip(parts)

    def darkest(self, index: int) -> np.ndarray:
        """(3,) light below which a frame says only that there is no more: cameras crush their darkest codes."""
        if not self.light_variance[index].processed:
            return np.zeros(3, np.float32)
        return self.responses[index].table(np.dtype(np.uint8))[CRUSHED_CODE]

    def code_step(self, index: int, light: np.ndarray) -> np.ndarray:
        """Light (any shape, 3) -> how much one 8-bit code changes it there; 0 for linear frames."""
        if self.bracket.frames[index].image.encoding == "linear":
            return np.zeros_like(light)
        return self.responses[index].step(light)

    def frame_strip(self, index: int, rows: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Light, saturation weight and consistency of some rows of one frame, as in `Strip`."""
        rows = slice(*rows.indices(self.shape[0]))
        image, registration = self.bracket.frames[index].image, self.registrations[index]
        if registration.moves:
            light, room, outside = self._resample(index, *sampling_positions(registration, rows, self.shape))
        else:
            pixels, invalid = image.pixels[rows], self.invalid[index]
            light = decode(image.with_pixels(pixels), self.responses[index])
            room = saturation_weight(brightest_channel(pixels), self.clip)
            outside = None if invalid is None else invalid[rows]
        known = self.consistency[index]
        if registration.status == "rejected":
            consistency = np.zeros(room.shape, np.float32)
        elif known is None:
            consistency = np.ones(room.shape, np.float32)
        else:
            consistency = resize_strip(known, rows, self.shape)
        if outside is not None:
            consistency = np.where(outside, np.float32(0), consistency)
        return light, room, consistency

    def _resample(
        self, index: int, x: np.ndarray, y: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """(light, saturation weight, (h, W) bool outside or None = nowhere) of a frame at positions (h, W) each."""
        image, invalid = self.bracket.frames[index].image, self.invalid[index]
        height, width = self.shape
        (left, right), (top, bottom) = cv2.minMaxLoc(x)[:2], cv2.minMaxLoc(y)[:2]
        outside = None
        if left < 0 or right > width - 1 or top < 0 or bottom > height - 1:
            outside = (x < 0) | (x > width - 1) | (y < 0) | (y > height - 1)
        top = int(np.clip(np.floor(top) - 4, 0, height - 1))
        bottom = int(np.clip(np.ceil(bottom) + 5, top + 1, height))
        piece, y = image.pixels[top:bottom], y - np.float32(top)

        def at(values: np.ndarray, interpolation: int) -> np.ndarray:
            return cv2.remap(values, x, y, interpolation, borderMode=cv2.BORDER_REPLICATE)

        # light is what adds up on a sensor, so light is interpolated; cubic keeps detail but undershoots beside
        # bright edges, and where no other frame measures that would be a black dot: never below the neighbourhood
        square = np.ones((3, 3), np.uint8)
        light = at(decode(image.with_pixels(piece), self.responses[index]), cv2.INTER_CUBIC)
        least = at(cv2.erode(piece, square), cv2.INTER_NEAREST)
        cv2.max(light, decode(image.with_pixels(least), self.responses[index]), light)
        # a pixel beside a clipped one is made from it: the weight is the least of the neighbourhood
        peak = cv2.dilate(brightest_channel(piece), square)
        if peak.max() <= CLIP_FULL * self.clip:
            room = np.ones(x.shape, np.float32)
        else:
            room = at(saturation_weight(peak, self.clip), cv2.INTER_LINEAR)
        if invalid is not None:
            border = at(invalid[top:bottom].astype(np.float32), cv2.INTER_LINEAR) >= 0.01
            outside = border if outside is None else outside | border
        return light, room, outside


def strips_of(height: int, width: int, pixels: int = STRIP_PIXELS) -> list[slice]:
    """The rows of a picture in strips of about so many pixels, multiples of `STRIP_STEP` rows but for the last."""
    rows = max(pixels // width // STRIP_STEP, 1) * STRIP_STEP
    return [slice(top, min(top + rows, height)) for top in range(0, height, rows)]


def widened(rows: slice, margin: int, height: int) -> tuple[slice, slice]:
    """(rows with a margin on both sides, as far as the picture goes; where the rows lie in these)."""
    wide = slice(max(rows.start - margin, 0), min(rows.stop + margin, height))
    return wide, slice(rows.start - wide.start, rows.stop - wide.start)


def decode(image: Image, response: Response) -> np.ndarray:
    """(H, W, 3) float32 light; 8-bit photos by OpenCV's look-up, which is several times NumPy's speed."""
    if image.encoding == "srgb" and image.pixels.dtype == np.uint8:
        return look_up(image.pixels, response.table(np.dtype(np.uint8)))
    return response.decode(image)


def saturation_weight(peak: np.ndarray, clip: float) -> np.ndarray:
    """(h, w) codes of the brightest channel -> float32: 1 below CLIP_FULL of the code `clip`, 0 from CLIP_NONE on."""
    if peak.dtype == np.uint8:
        return cv2.LUT(peak, _ramp(np.arange(256, dtype=np.float32), clip))
    return _ramp(peak.astype(np.float32), clip)


def _ramp(codes: np.ndarray, clip: float) -> np.ndarray:
    return np.clip((CLIP_NONE - codes / np.float32(clip)) / (CLIP_NONE - CLIP_FULL), 0, 1).astype(np.float32)
