"""Global registration of two differently exposed frames: a homography by robust Gauss-Newton.

Both frames are brought to one photometric scale first: log light, relative to the same exposure, with pixels
that clip or drown in noise left out. A small set of well-textured pixels of the target is then tracked through
an image pyramid by the inverse compositional algorithm (Baker & Matthews 2004, section 3.2) with Tukey weights
(moving objects are outliers), from translation at the coarsest level to a full homography.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.bracketing.tone_difference import tone_difference

LOG_FLOOR = 0.004  # light below this fraction of the clipping level is mostly noise in 8-bit photos


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
    tolerance_px: float = 0.003  # mean motion of the corners under which a level has converged


def register(
    target: Pattern, moving: Pattern, start: np.ndarray, freedoms: int, options: RegistrationOptions
) -> np.ndarray:
    """Homography (3, 3) float64 from target pixels to moving pixels, in pattern coordinates.

    `start` is the first guess. freedoms: 3 = rotation and translation, 8 = all (on levels that can carry them).
    The result may be poor: judge it with `disagreement`.
    """
    targets, movings = _pyramid(target, options), _pyramid(moving, options)
    warp = start.copy()
    for level in reversed(range(len(targets))):
        zoom = np.diag([0.5**level, 0.5**level, 1.0])
        # a handful of pixels cannot carry eight parameters
        carried = freedoms if min(targets[level].log.shape) >= 96 else 3
        local = zoom @ warp @ np.linalg.inv(zoom)
        local = _track(targets[level], movings[level], local, carried, options)
        warp = np.linalg.inv(zoom) @ local @ zoom
    return warp / warp[2, 2]


def disagreement(target: Pattern, moving: Pattern, warp: np.ndarray) -> tuple[float, float]:
    """(cost, overlap): mean bounded difference of the logs where both are known, and that share of the target.

    The difference saturates at a third of a stop, so that ghosts do not outvote the scene; what a wrong exposure
    or response would make of it is taken out.
    """
    other, known = _warped(moving, warp, target.log.shape)
    sure = (known * target.known > 0.99) & (np.maximum(other, target.log) > target.dark)
    count = int(sure.sum())
    if count < 64:
        return 1.0, 0.0
    value, difference = target.log[sure], (other - target.log)[sure]
    bounded = np.minimum(np.abs(difference - tone_difference(value, difference)) / 0.23, 1.0)
    return float(bounded.mean()), count / sure.size


def phase_shift(target: Pattern, moving: Pattern) -> np.ndarray:
    """Translation by phase correlation of the high-passed patterns, as a homography."""
    images = []
    for pattern in (target, moving):
        mean = cv2.GaussianBlur(pattern.log, (0, 0), 8)
        images.append(((pattern.log - mean) * pattern.known).astype(np.float32))
    window = cv2.createHanningWindow(target.log.shape[::-1], cv2.CV_32F)
    (dx, dy), _ = cv2.phaseCorrelate(images[0], images[1], window)
    return np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]], dtype=np.float64)


def _pyramid(pattern: Pattern, options: RegistrationOptions) -> list[Pattern]:
    levels = [pattern]
    while min(levels[-1].log.shape) >= 2 * options.smallest_side_px:
        last = levels[-1]
        known = cv2.pyrDown(last.known)
        # normalised averaging: unknown pixels do not bleed into known ones
        log = cv2.pyrDown(last.log * last.known) / np.maximum(known, 1e-3)
        levels.append(Pattern(log, (known > 0.6).astype(np.float32), last.scale / 2, last.dark))
    return levels


def _track(
    target: Pattern, moving: Pattern, warp: np.ndarray, freedoms: int, options: RegistrationOptions
) -> np.ndarray:
    """Refine `warp` at one level. freedoms: 3 = rotation and translation, 8 = homography."""
    smooth = cv2.GaussianBlur(target.log, (0, 0), 1.0)
    other = cv2.GaussianBlur(moving.log, (0, 0), 1.0)
    x, y, jacobian, value = _textured_points(smooth, target.known, freedoms, options.points)
    if len(x) < 4 * freedoms:
        return warp
    height, width = target.log.shape
    for _ in range(options.iterations):
        seen, known = _sample(other, moving.known, warp, x, y)
        use = known > 0.9
        if use.sum() < 4 * freedoms:
            return warp
        residual = (seen - value)[use]
        step = _robust_step(jacobian[use], residual - tone_difference(value[use], residual), freedoms)
        if step is None:
            return warp
        normalise = _normaliser(height, width)
        warp = warp @ np.linalg.inv(normalise) @ np.linalg.inv(step) @ normalise
        warp = warp / warp[2, 2]
        if _corner_motion(np.linalg.inv(normalise) @ step @ normalise, height, width) < options.tolerance_px:
            break
    return warp


def _textured_points(
    smooth: np.ndarray, known: np.ndarray, freedoms: int, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(x, y, jacobian, value) of the strongest gradients, spread over a grid of cells."""
    gx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8)
    gy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    height, width = smooth.shape
    inside = cv2.erode(known, np.ones((5, 5)), borderValue=0) > 0.99
    strength = np.where(inside, np.hypot(gx, gy), 0)
    cells = cv2.resize(strength, (max(width // 16, 1), max(height // 16, 1)), interpolation=cv2.INTER_AREA)
    local = cv2.resize(cells, (width, height), interpolation=cv2.INTER_LINEAR)
    # a pixel counts by its gradient, relative to its surroundings so that one busy corner does not take all
    score = strength / np.sqrt(local + 1e-3)
    score[strength < 0.002] = 0
    picks = np.flatnonzero(score)
    if len(picks) > count:
        picks = picks[np.argpartition(score.ravel()[picks], -count)[-count:]]
    y, x = np.divmod(picks, width)
    jacobian = _jacobian(x, y, gx.ravel()[picks], gy.ravel()[picks], (height, width))
    return x.astype(np.float32), y.astype(np.float32), jacobian[:, :freedoms], smooth.ravel()[picks]


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


def _robust_step(jacobian: np.ndarray, residual: np.ndarray, freedoms: int) -> np.ndarray | None:
    """One weighted least-squares step as a homography; None when it cannot be solved."""
    # the spread of a Gaussian from its lower quartile: a moving object may cover more than half of the points
    spread = np.percentile(np.abs(residual), 25) / 0.3186 + 1e-4
    weight = np.square(np.clip(1 - np.square(residual / (4 * spread)), 0, None))
    weighted = jacobian * weight[:, None]
    normal = (weighted.T @ jacobian).astype(np.float64)
    normal[np.diag_indices(freedoms)] *= 1 + 1e-4
    normal[np.diag_indices(freedoms)] += 1e-9
    step = np.linalg.solve(normal, (weighted.T @ residual).astype(np.float64))
    # a step of more than a fifth of the picture is a sign of divergence
    return _matrix(step) if np.isfinite(step).all() and np.abs(step).max() < 0.2 else None


def _sample(
    image: np.ndarray, known: np.ndarray, warp: np.ndarray, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Bilinear values and knownness of `image` at the warped points; outside is unknown."""
    z = warp[2, 0] * x + warp[2, 1] * y + warp[2, 2]
    u = ((warp[0, 0] * x + warp[0, 1] * y + warp[0, 2]) / z).astype(np.float32)
    v = ((warp[1, 0] * x + warp[1, 1] * y + warp[1, 2]) / z).astype(np.float32)
    # cv2.remap takes pictures of at most 32767 columns
    columns = 1024
    pad = -len(u) % columns
    u, v = (np.pad(part, (0, pad), constant_values=-9).reshape(-1, columns) for part in (u, v))
    value = cv2.remap(image, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).ravel()
    sure = cv2.remap(known, u, v, cv2.INTER_LINEAR, borderValue=0).ravel()
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
