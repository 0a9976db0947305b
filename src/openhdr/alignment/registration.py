"""Global registration of two differently exposed frames: a homography by robust Gauss-Newton.

Both frames are brought to one photometric scale first: log light, relative to the same exposure, with pixels
that clip or drown in noise left out. A small set of well-textured pixels of the target is then tracked through
an image pyramid by the inverse compositional algorithm (Baker & Matthews 2004, section 3.2) with Tukey weights
(moving objects are outliers), from translation at the coarsest level to a full homography.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from openhdr.bracketing.tone_difference import class_count, densest, tone_difference, without_outliers

PHASE_PIXELS = 250_000  # at which a first guess is looked for
SAMPLED_IN_CLASS = 600  # residuals of a brightness class that are looked at
LOG_FLOOR = 0.004  # light below this fraction of the clipping level is mostly noise in 8-bit photos
BEYOND = np.float32(1e-6)  # third coordinate, at least: what is behind the viewer lies far outside


@dataclass(frozen=True)
class Pattern:
    """One frame prepared for registration.

    log: (h, w) float32, ln(light in the reference's scale + floor). known: (h, w) float32 0..1, neither clipped
    nor outside. scale: pattern pixels per frame pixel. dark: the log below which a pixel says nothing.
    """

    log: np.ndarray
    known: np.ndarray
    scale: float
    dark: float


@dataclass(frozen=True)
class RegistrationOptions:
    points: int = 30_000  # tracked pixels per level, at most
    iterations: int = 30  # Gauss-Newton steps per level, at most
    smallest_side_px: int = 24  # where the pyramid ends
    tolerance_px: float = 0.003  # motion of the corners under which a level has converged
    toned_iterations: tuple[int, ...] = (0, 1, 3, 7, 15)  # in which the difference of tones is measured


@dataclass(frozen=True)
class Level:
    """One size of a pattern. smooth: (h, w) float32 log light, slightly blurred; known: (h, w) float32 0 or 1."""

    smooth: np.ndarray
    known: np.ndarray


@dataclass(frozen=True)
class Points:
    """The tracked pixels of one level, rising by value.

    x, y, value: (P,) float32. jacobian: (P, 8), see `_jacobian`. classes: the brightness classes, as slices.
    hats: (P, K) float32, weights by which the classes' offsets are interpolated linearly.
    """

    x: np.ndarray
    y: np.ndarray
    value: np.ndarray
    jacobian: np.ndarray
    classes: tuple[slice, ...]
    hats: np.ndarray

    def toned(self, residual: np.ndarray, use: np.ndarray) -> np.ndarray:
        """(P,) float32: what brightness alone explains of a residual, as the pixels in `use` show it."""
        offsets = np.zeros(len(self.classes))
        for k, part in enumerate(self.classes):
            seen = residual[part][use[part]]
            offsets[k] = densest(seen[:: max(len(seen) // SAMPLED_IN_CLASS, 1)]) if len(seen) else np.nan
        if np.isnan(offsets).any():
            have = np.flatnonzero(~np.isnan(offsets))
            offsets = np.interp(np.arange(len(offsets)), have, offsets[have])
        return self.hats @ without_outliers(offsets).astype(np.float32)


class Pair:
    """Two patterns prepared for registration; what all candidates need is made once."""

    def __init__(self, target: Pattern, moving: Pattern, options: RegistrationOptions) -> None:
        self.target, self.moving, self._options = target, moving, options
        self._levels = list(zip(_pyramid(target, options), _pyramid(moving, options), strict=True))
        self._points: dict[int, Points] = {}

    def register(self, start: np.ndarray, freedoms: int) -> np.ndarray:
        """Homography (3, 3) float64 from target pixels to moving pixels, in pattern coordinates.

        start: the first guess. freedoms: 3 = rotation and translation, 8 = all (on levels that can carry them).
        The result may be poor: judge it with `disagreement`.
        """
        warp = start.copy()
        for level in reversed(range(len(self._levels))):
            zoom = np.diag([0.5**level, 0.5**level, 1.0])
            # a handful of pixels cannot carry eight parameters
            carried = freedoms if min(self._levels[level][0].known.shape) >= 96 else 3
            local = self._track(level, zoom @ warp @ np.linalg.inv(zoom), carried)
            warp = np.linalg.inv(zoom) @ local @ zoom
        return warp / warp[2, 2]

    def disagreement(self, warp: np.ndarray) -> tuple[float, float]:
        """(cost, overlap): mean bounded difference of the logs where both are known, and that share of the target.

        The difference saturates at a third of a stop, so that ghosts do not outvote the scene; what a wrong exposure
        or response would make of it is taken out.
        """
        target = self.target
        other, known = _warped(self.moving, warp, target.log.shape)
        sure = (known * target.known > 0.99) & (np.maximum(other, target.log) > target.dark)
        count = int(sure.sum())
        if count < 64:
            return 1.0, 0.0
        value, difference = target.log[sure], (other - target.log)[sure]
        bounded = np.minimum(np.abs(difference - tone_difference(value, difference)) / 0.23, 1.0)
        return float(bounded.mean()), count / sure.size

    def _track(self, level: int, warp: np.ndarray, freedoms: int) -> np.ndarray:
        """Refine `warp` at one level. freedoms: 3 = rotation and translation, 8 = homography."""
        options = self._options
        target, moving = self._levels[level]
        if level not in self._points:
            self._points[level] = _textured_points(target, options)
        points = self._points[level]
        if len(points.x) < 4 * freedoms:
            return warp
        height, width = target.known.shape
        normalise = _normaliser(height, width)
        denormalise = np.linalg.inv(normalise)
        jacobian = np.ascontiguousarray(points.jacobian[:, :freedoms])
        tones = np.zeros(1, np.float32)
        for iteration in range(options.iterations):
            seen, known = _sample(moving, warp, points.x, points.y)
            use = known > 0.9
            if use.sum() < 4 * freedoms:
                return warp
            residual = seen - points.value
            if iteration in options.toned_iterations:
                tones = points.toned(residual, use)
            step = _robust_step(jacobian, residual - tones, use, freedoms)
            if step is None:
                return warp
            step = denormalise @ step @ normalise
            warp = warp @ np.linalg.inv(step)
            warp = warp / warp[2, 2]
            if _corner_motion(step, height, width) < options.tolerance_px:
                break
        return warp


def phase_shift(target: Pattern, moving: Pattern) -> np.ndarray:
    """Translation by phase correlation of the high-passed patterns, as a homography."""
    shrink = min(1.0, (PHASE_PIXELS / target.log.size) ** 0.5)
    images = []
    for pattern in (target, moving):
        log, known = (
            cv2.resize(one, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
            for one in (pattern.log, pattern.known)
        )
        images.append((log - cv2.GaussianBlur(log, (0, 0), 8 * shrink)) * known)
    window = cv2.createHanningWindow(images[0].shape[::-1], cv2.CV_32F)
    (dx, dy), _ = cv2.phaseCorrelate(images[0], images[1], window)
    return np.array([[1, 0, dx / shrink], [0, 1, dy / shrink], [0, 0, 1]], dtype=np.float64)


def _pyramid(pattern: Pattern, options: RegistrationOptions) -> list[Level]:
    """Levels from the finest to the coarsest."""
    log, known = pattern.log, pattern.known
    levels = [Level(cv2.GaussianBlur(log, (0, 0), 1.0), known)]
    while min(log.shape) >= 2 * options.smallest_side_px:
        share = cv2.pyrDown(known)
        # normalised averaging: unknown pixels do not bleed into known ones
        log = cv2.pyrDown(log * known) / np.maximum(share, 1e-3)
        known = (share > 0.6).astype(np.float32)
        levels.append(Level(cv2.GaussianBlur(log, (0, 0), 1.0), known))
    return levels


def _textured_points(level: Level, options: RegistrationOptions) -> Points:
    """The strongest gradients, spread over a grid of cells."""
    smooth = level.smooth
    gx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8)
    gy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    height, width = smooth.shape
    inside = cv2.erode(level.known, np.ones((5, 5)), borderValue=0)
    strength = cv2.magnitude(gx, gy) * (inside > 0.99)
    cells = cv2.resize(strength, (max(width // 16, 1), max(height // 16, 1)), interpolation=cv2.INTER_AREA)
    local = cv2.resize(cells, (width, height), interpolation=cv2.INTER_LINEAR)
    # a pixel counts by its gradient, relative to its surroundings so that one busy corner does not take all
    score = strength / cv2.sqrt(local + np.float32(1e-3))
    picks = np.flatnonzero(strength >= 0.002)
    if len(picks) > options.points:
        picks = picks[np.argpartition(score.ravel()[picks], -options.points)[-options.points :]]
    picks = picks[np.argsort(smooth.ravel()[picks])]
    y, x = np.divmod(picks, width)
    value = smooth.ravel()[picks]
    edges = np.linspace(0, len(picks), class_count(len(picks)) + 1).astype(int)
    classes = tuple(slice(*ends) for ends in pairwise(edges))
    centres = [value[part].mean() if part.stop > part.start else 0.0 for part in classes]
    hats = [np.interp(value, centres, one) for one in np.eye(len(classes))]
    jacobian = _jacobian(x, y, gx.ravel()[picks], gy.ravel()[picks], (height, width))
    return Points(
        x.astype(np.float32),
        y.astype(np.float32),
        value,
        jacobian,
        classes,
        np.stack(hats, 1).astype(np.float32),
    )


def _normaliser(height: int, width: int) -> np.ndarray:
    """Pixels -> coordinates of about -1..1, which keeps the normal equations well conditioned."""
    half = max(height, width) / 2
    return np.array([[1 / half, 0, -width / 2 / half], [0, 1 / half, -height / 2 / half], [0, 0, 1]])


def _jacobian(
    x: np.ndarray, y: np.ndarray, gx: np.ndarray, gy: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """(P, 8): derivative of the value by the parameters of `_matrix`, at the identity."""
    half = max(shape) / 2
    u, v = (x - shape[1] / 2) / half, (y - shape[0] / 2) / half
    a, b = gx * half, gy * half  # gradients per normalised unit
    radial = a * u + b * v
    rows = [a, b, b * u - a * v, radial, a * u - b * v, a * v + b * u, -u * radial, -v * radial]
    return np.stack(rows, axis=1).astype(np.float32)


def _matrix(p: np.ndarray) -> np.ndarray:
    """Parameters (translation 2, rotation, scale, shear 2, perspective 2) -> homography, normalised units."""
    p = np.concatenate([p, np.zeros(8 - len(p))])
    return np.array(
        [[1 + p[3] + p[4], p[5] - p[2], p[0]], [p[5] + p[2], 1 + p[3] - p[4], p[1]], [p[6], p[7], 1.0]]
    )


def _robust_step(
    jacobian: np.ndarray, residual: np.ndarray, use: np.ndarray, freedoms: int
) -> np.ndarray | None:
    """One weighted least-squares step as a homography; None when it cannot be solved. use: (P,) bool."""
    # the spread of a Gaussian from its lower quartile: a moving object may cover more than half of the points
    distance = np.abs(residual[use])
    quarter = len(distance) // 4
    spread = np.partition(distance, quarter)[quarter] / 0.3186 + 1e-4
    weight = np.square(np.maximum(1 - np.square(residual / np.float32(4 * spread)), 0)) * use
    weighted = jacobian * weight[:, None]
    normal = (weighted.T @ jacobian).astype(np.float64)
    normal[np.diag_indices(freedoms)] *= 1 + 1e-4
    normal[np.diag_indices(freedoms)] += 1e-9
    step = np.linalg.solve(normal, (weighted.T @ residual).astype(np.float64))
    # a step of more than a fifth of the picture is a sign of divergence
    return _matrix(step) if np.isfinite(step).all() and np.abs(step).max() < 0.2 else None


def _sample(level: Level, warp: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bilinear values and knownness of a level at the warped points; outside is unknown."""
    warp = warp.astype(np.float32)
    z = np.maximum(warp[2, 0] * x + warp[2, 1] * y + warp[2, 2], BEYOND)
    u = (warp[0, 0] * x + warp[0, 1] * y + warp[0, 2]) / z
    v = (warp[1, 0] * x + warp[1, 1] * y + warp[1, 2]) / z
    # cv2.remap takes pictures of at most 32767 columns
    columns = 1024
    pad = -len(u) % columns
    u, v = (np.pad(part, (0, pad), constant_values=-9).reshape(-1, columns) for part in (u, v))
    value = cv2.remap(level.smooth, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).ravel()
    sure = cv2.remap(level.known, u, v, cv2.INTER_LINEAR, borderValue=0).ravel()
    return value[: len(x)], sure[: len(x)]


def _warped(pattern: Pattern, warp: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    size = shape[::-1]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    log = cv2.warpPerspective(pattern.log, warp, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    known = cv2.warpPerspective(pattern.known, warp, size, flags=flags, borderValue=0)
    return log, np.where(known > 0.99, known, 0)


def _corner_motion(warp: np.ndarray, height: int, width: int) -> float:
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], dtype=np.float64)
    moved = corners @ warp.T
    return float(np.abs(moved[:, :2] / moved[:, 2:] - corners[:, :2]).max())
