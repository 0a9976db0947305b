"""Where a frame lies, seen from the reference: what alignment finds and what merging resamples by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import cv2
import numpy as np

from openhdr.core.errors import RequestError
from openhdr.core.image import Image

OVERVIEW_MEGAPIXELS = 1.0
GRID_POINTS = 97  # each way, at which it is looked whether a frame covers the reference

Status = Literal["reference", "aligned", "kept", "rejected"]


@dataclass(frozen=True)
class Registration:
    """Where a frame's pixels lie, seen from the reference.

    status: `reference`; `aligned` = moved; `kept` = left as it was, because moving it did not help;
        `rejected` = does not show the same scene, left out of the merge.
    homography: (3, 3) float64, reference pixel (x, y, 1) -> frame pixel.
    flow: (h, w, 2) float32 displacement in frame pixels added after the homography, at any smaller size than
        the frame, or None.
    shift_px: mean displacement of the four corners and the centre.
    disagreement: mean bounded difference (0..1) from its target before and after.
    overlap: share of the target where the difference could be measured.
    """

    status: Status
    homography: np.ndarray
    flow: np.ndarray | None = None
    shift_px: float = 0.0
    disagreement: tuple[float, float] = (0.0, 0.0)
    overlap: float = 1.0

    @cached_property
    def moves(self) -> bool:
        """Whether pixels have to be resampled."""
        return self.flow is not None or not np.array_equal(self.homography, np.eye(3))


def identity(status: Status) -> Registration:
    return Registration(status, np.eye(3))


def mean_shift(homography: np.ndarray, height: int, width: int) -> float:
    """Mean displacement in pixels of the corners and the centre."""
    points = np.array(
        [[0, 0], [width, 0], [0, height], [width, height], [width / 2, height / 2]], dtype=np.float64
    )
    moved = np.column_stack([points, np.ones(5)]) @ homography.T
    return float(np.hypot(*(moved[:, :2] / moved[:, 2:] - points).T).mean())


def sampling_positions(
    registration: Registration, rows: slice, shape: tuple[int, int], detour: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(x, y), (rows, W) float32 each: the frame position that each pixel of a strip of the reference looks at.

    shape: (H, W) of the reference. detour: (rows, W, 2) px added to the reference's pixels before the homography.
    """
    x = np.arange(shape[1], dtype=np.float32)
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
    if detour is not None:
        x, y = x + detour[..., 0], y + detour[..., 1]
    # single precision is enough: a position of 6000 px is right to 0.0005 px
    h = registration.homography.astype(np.float32)
    z = h[2, 0] * x + (h[2, 1] * y + h[2, 2])
    frame_x, frame_y = h[0, 0] * x + (h[0, 1] * y + h[0, 2]), h[1, 0] * x + (h[1, 1] * y + h[1, 2])
    frame_x /= z
    frame_y /= z
    if registration.flow is not None:
        flow = resize_strip(registration.flow, rows, shape)
        frame_x += flow[..., 0]
        frame_y += flow[..., 1]
    return frame_x, frame_y


def sampling_map(
    registration: Registration, rows: slice, shape: tuple[int, int], detour: np.ndarray | None = None
) -> np.ndarray:
    """`sampling_positions` as one map (rows, W, 2) float32."""
    return cv2.merge(sampling_positions(registration, rows, shape, detour))


def frame_positions(
    registration: Registration, x: np.ndarray, y: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """(P, 2) float32: the frame position (x, y) that points of the reference, (P,) each, look at."""
    moved = np.column_stack([x, y, np.ones(len(x))]) @ registration.homography.T
    where = (moved[:, :2] / moved[:, 2:]).astype(np.float32)
    if registration.flow is not None:
        scale = registration.flow.shape[0] / shape[0], registration.flow.shape[1] / shape[1]
        where += registration.flow[(y * scale[0]).astype(int), (x * scale[1]).astype(int)]
    return where


def common_area(
    registrations: Sequence[Registration], shape: tuple[int, int], multiple: int = 1
) -> tuple[slice, slice]:
    """(rows, columns) of the reference: the largest rectangle that lies inside every frame that is not rejected.

    shape: (H, W) of all. multiple: of pixels, at which the rectangle begins. Found between points on a grid.
    """
    rows, columns = (np.unique(np.linspace(0, side - 1, GRID_POINTS).astype(int)) for side in shape)
    x, y = (axis.ravel() for axis in np.meshgrid(columns, rows))
    inside = np.ones(len(x), bool)
    for one in registrations:
        if one.status != "rejected" and one.moves:
            places = frame_positions(one, x, y, shape)
            inside &= ((places >= 0) & (places <= np.array(shape[::-1]) - 1)).all(axis=1)
    top, bottom, left, right = largest_rectangle(inside.reshape(len(rows), len(columns)))
    if bottom <= top or right <= left:
        raise RequestError("`crop`: the photos have no area in common; leave it out")
    return tuple(
        slice(-(-int(first) // multiple) * multiple, int(last) + 1)
        for first, last in ((rows[top], rows[bottom]), (columns[left], columns[right]))
    )  # type: ignore[return-value]


def largest_rectangle(mask: np.ndarray) -> tuple[int, int, int, int]:
    """First and last row and column, all inclusive, of the largest rectangle of True."""
    best, found = 0, (0, -1, 0, -1)
    for top in range(len(mask)):
        whole = np.ones(mask.shape[1], bool)
        for bottom in range(top, len(mask)):
            whole &= mask[bottom]
            edges = np.flatnonzero(np.diff(np.concatenate([[False], whole, [False]])))
            if not len(edges):
                break
            starts, ends = edges[::2], edges[1::2]
            longest = int((ends - starts).argmax())
            area = (bottom - top) * int(ends[longest] - starts[longest] - 1)
            if area > best:
                best, found = area, (top, bottom, int(starts[longest]), int(ends[longest]) - 1)
    return found


def resize_strip(full: np.ndarray, rows: slice, shape: tuple[int, int]) -> np.ndarray:
    """Rows of a map (h, w) or (h, w, C) enlarged linearly to `shape` (H, W), without making the whole."""
    if full.shape[:2] == shape:
        return full[rows]
    x, y = full.shape[1] / shape[1], full.shape[0] / shape[0]
    where = np.array([[x, 0, x / 2 - 0.5], [0, y, (rows.start + 0.5) * y - 0.5]])
    return cv2.warpAffine(
        full,
        where,
        (shape[1], rows.stop - rows.start),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def size_within(shape: tuple[int, int], megapixels: float) -> tuple[int, int]:
    """(width, height) of a picture of shape (H, W) shrunk to so many megapixels, if it has more."""
    factor = min((megapixels * 1e6 / (shape[0] * shape[1])) ** 0.5, 1.0)
    return max(round(shape[1] * factor), 1), max(round(shape[0] * factor), 1)


def overview(image: Image, size: tuple[int, int]) -> np.ndarray:
    """The pixels of an image shrunk to `size` = (width, height), to look at the whole.

    Exposures, registration and comparison all do: the image keeps one of `OVERVIEW_MEGAPIXELS`, and smaller ones are
    made from it.
    """
    kept = size_within(image.pixels.shape[:2], OVERVIEW_MEGAPIXELS)
    if size[0] > kept[0] or size[1] > kept[1]:
        return shrunk(image.pixels, size)
    if kept not in image.overviews:
        image.overviews[kept] = shrunk(image.pixels, kept)
    return shrunk(image.overviews[kept], size)


def shrunk(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W) or (H, W, C) by area averaging to `size` = (width, height); of that size it is returned as it is.

    Large ones are averaged two by two first: twice as fast, and 8-bit codes come out a tenth of one too high.
    """
    if pixels.shape[1::-1] == size:
        return pixels
    height, width = pixels.shape[:2]
    if height % 2 == 0 and width % 2 == 0 and height >= 2 * size[1] and width >= 2 * size[0]:
        pixels = cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def warp(pixels: np.ndarray, registration: Registration) -> tuple[np.ndarray, np.ndarray]:
    """(pixels in the reference's geometry, (H, W) bool that is False where they come from outside the frame).

    pixels: (H, W) or (H, W, C), any dtype that OpenCV resamples; bilinear, edges repeated.
    """
    height, width = pixels.shape[:2]
    if not registration.moves:
        return pixels, np.ones((height, width), bool)
    x, y = sampling_positions(registration, slice(0, height), (height, width))
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), inside


def shrink(registration: Registration, scale: tuple[float, float]) -> Registration:
    """The same registration for frames shrunk by `scale` = (x, y) small pixels per pixel."""
    zoom = np.array([[scale[0], 0, scale[0] / 2 - 0.5], [0, scale[1], scale[1] / 2 - 0.5], [0, 0, 1]])
    homography = zoom @ registration.homography @ np.linalg.inv(zoom)
    flow = None if registration.flow is None else registration.flow * np.array(scale, np.float32)
    return replace(registration, homography=homography / homography[2, 2], flow=flow)


def steepness(values: np.ndarray) -> np.ndarray:
    """Largest difference between neighbours within one pixel, per channel: what a shift by one pixel may change."""
    square = np.ones((3, 3), np.uint8)
    return cv2.dilate(values, square) - cv2.erode(values, square)
