"""Response calibration: recover the camera's curve from the bracket itself.

`debevec`: Debevec & Malik 1997, eq. 3: least squares for g(Z) = ln(light) with a smoothness term.
`robertson`: Robertson, Borman & Stevenson 2003: alternate between radiance and curve, maximum likelihood.

Both use a few hundred pixels, chosen where the scene is locally flat and spread over all levels, and both
end with a non-decreasing curve whose highest top code is 1.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.camera.response import Response
from openhdr.color.transfer import srgb_decode
from openhdr.core.errors import RequestError, unknown_name

LEVELS = 256  # curves are recovered at 8 bits; finer codes are interpolated
EDGE_CODES = 5  # codes below clipping that are extrapolated


@dataclass(frozen=True)
class CalibrationOptions:
    method: str = "debevec"
    samples: int = 600  # pixels per channel; each is seen in every frame
    smoothness: float = 40.0  # Debevec's lambda, for codes 0..255
    iterations: int = 40  # Robertson's alternations, at most


def calibrate_frames(
    codes: list[np.ndarray],
    ev: np.ndarray,
    valid: Sequence[np.ndarray | None] | None = None,
    clip: float = 1.0,
    options: CalibrationOptions = CalibrationOptions(),
) -> Response:
    """Recover the response of aligned frames.

    codes: N arrays (H, W, 3) uint8 or uint16. ev: (N,) stops. valid: N masks (H, W) bool of pixels that belong
    to the photo, or None. clip: the code that clips, as a share of full scale. Raises RequestError when
    the frames cannot determine a curve.
    """
    solvers = {"debevec": _debevec, "robertson": _robertson}
    if options.method not in solvers:
        raise unknown_name("calibration method", options.method, solvers)
    eight = [frame if frame.dtype == np.uint8 else (frame >> 8).astype(np.uint8) for frame in codes]
    picks = _choose_pixels(eight, valid, options.samples)
    top = round(clip * (LEVELS - 1))
    curve = np.empty((LEVELS, 3))
    for channel in range(3):
        seen = np.stack([frame[..., channel].ravel()[picks[channel]] for frame in eight], axis=1)  # (P, N)
        if np.ptp(seen) < 32:
            raise RequestError(
                "the frames span too few code values to calibrate a response; use `response='srgb'`"
            )
        solved = solvers[options.method](np.minimum(seen, top), ev * np.log(2), top, options)
        curve[:, channel] = _monotone(_extrapolate(solved, top))
    return Response(f"calibrated:{options.method}", _balance(curve))


def _balance(curve: np.ndarray) -> np.ndarray:
    """Scale the channels so that equal codes are neutral, then all so that the highest top code is 1.

    A bracket fixes each channel's curve up to a factor only. Debevec & Malik set g(128) = 0 in all channels;
    the weighted mean over all codes says the same with less noise.
    """
    weight = _hat(np.arange(LEVELS), LEVELS - 1)[:, None]
    level = (weight * np.log(np.maximum(curve, 1e-12))).sum(0) / weight.sum()
    curve = curve * np.exp(-level)
    return curve / curve[-1].max()


def _choose_pixels(
    frames: list[np.ndarray], valid: Sequence[np.ndarray | None] | None, count: int
) -> list[np.ndarray]:
    """Per channel: flat indices of pixels that are locally flat in all frames and spread over all levels."""
    height, width = frames[0].shape[:2]
    usable = np.ones((height, width), bool)
    for mask in valid or []:
        if mask is not None:
            usable &= mask
    usable[:2], usable[-2:], usable[:, :2], usable[:, -2:] = False, False, False, False
    picks = []
    for channel in range(3):
        spread = np.zeros((height, width), np.float32)
        total = np.zeros((height, width), np.float32)
        for frame in frames:
            plane = frame[..., channel].astype(np.float32)
            mean = cv2.blur(plane, (5, 5))
            spread = np.maximum(spread, cv2.blur(plane * plane, (5, 5)) - mean * mean)
            total += plane
        picks.append(_spread_over_levels(spread, total, usable, count))
    return picks


def _spread_over_levels(spread: np.ndarray, total: np.ndarray, usable: np.ndarray, count: int) -> np.ndarray:
    """The flattest pixels of each of 64 equal-width brightness classes."""
    index = np.flatnonzero(usable)
    if len(index) < 64:
        raise RequestError(
            "too few pixels are valid in every frame to calibrate a response; use `response='srgb'`"
        )
    brightness = total.ravel()[index]
    low, high = brightness.min(), brightness.max()
    classes = np.minimum(((brightness - low) / max(high - low, 1e-6) * 64).astype(int), 63)
    order = np.lexsort((spread.ravel()[index], classes))
    _, starts = np.unique(classes[order], return_index=True)
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return index[order[rank < max(count // 64, 1)]]


def _hat(codes: np.ndarray, top: int) -> np.ndarray:
    """Debevec's weight, zero at both ends so that clipped codes do not speak."""
    return np.maximum(np.minimum(codes, top - codes), 0) / (top / 2)


def _extrapolate(curve: np.ndarray, top: int) -> np.ndarray:
    """Continue the curve's log slope through the last codes, which hardly any unclipped pixel speaks for."""
    last = top - EDGE_CODES
    slope = np.log(max(curve[last], 1e-12) / max(curve[last - 10], 1e-12)) / 10
    curve[last:] = curve[last] * np.exp(max(slope, 0) * np.arange(len(curve) - last))
    curve[top:] = curve[top]
    return curve


def _debevec(seen: np.ndarray, log_exposure: np.ndarray, top: int, options: CalibrationOptions) -> np.ndarray:
    """(256,) light per code. seen: (P, N) codes; log_exposure: (N,) ln t."""
    pixels, frames = seen.shape
    rows = pixels * frames
    weight = _hat(seen, top).ravel()
    data = np.zeros((rows, LEVELS + pixels))
    line = np.arange(rows)
    data[line, seen.ravel()] = weight  # w g(Z_ij)
    data[line, LEVELS + np.repeat(np.arange(pixels), frames)] = -weight  # - w ln E_i
    target = weight * np.tile(log_exposure, pixels)  # = w ln t_j
    inner = np.arange(1, LEVELS - 1)
    smooth = np.zeros((LEVELS - 2, LEVELS + pixels))
    bend = options.smoothness * np.maximum(_hat(inner, top), 0.05)
    smooth[inner - 1, inner - 1], smooth[inner - 1, inner], smooth[inner - 1, inner + 1] = (
        bend,
        -2 * bend,
        bend,
    )
    anchor = np.zeros((1, LEVELS + pixels))
    anchor[0, LEVELS // 2] = 1  # g(128) = 0 fixes the scale
    system = np.vstack([data, smooth, anchor])
    right = np.concatenate([target, np.zeros(LEVELS - 1)])
    normal = system.T @ system
    normal[np.diag_indices_from(normal)] += 1e-9  # pixels that are clipped in every frame have no equation
    return np.exp(np.linalg.solve(normal, system.T @ right)[:LEVELS])


def _robertson(
    seen: np.ndarray, log_exposure: np.ndarray, top: int, options: CalibrationOptions
) -> np.ndarray:
    """(256,) light per code, by Robertson's alternation.

    The paper starts from a line. With exposures an even step apart the data leave any difference that repeats with
    that step undetermined (Grossberg & Nayar 2003), and such a difference of the start stays: sRGB is a nearer one.
    """
    exposure = np.exp(log_exposure - log_exposure.mean())
    centre = top / 2
    weight_of = np.exp(-4 * (np.arange(LEVELS) - centre) ** 2 / centre**2)  # 2003, eq. 25
    weight_of = np.maximum((weight_of - weight_of[0]) / (weight_of[top // 2] - weight_of[0]), 0)
    weight = weight_of[seen]
    curve = srgb_decode(np.arange(LEVELS) / top) / srgb_decode(np.array(0.5))
    flat = seen.ravel()
    count = np.bincount(flat, minlength=LEVELS)
    for _ in range(options.iterations):
        before = curve.copy()
        radiance = (weight * exposure * curve[seen]).sum(1) / np.maximum((weight * exposure**2).sum(1), 1e-9)
        light = (radiance[:, None] * exposure).ravel()
        mean = np.bincount(flat, light, minlength=LEVELS) / np.maximum(count, 1)
        known = np.flatnonzero((count > 0) & (weight_of > 0))
        curve = np.interp(np.arange(LEVELS), known, mean[known])
        curve = _monotone(curve)
        curve /= max(curve[LEVELS // 2], 1e-9)
        if np.abs(curve - before).max() < 1e-4:
            break
    return curve


def non_decreasing(values: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
    """Isotonic regression: the nearest non-decreasing values by pool adjacent violators.

    values: (K,). counts: (K,) weights, all 1 if left out.
    """
    means: list[float] = []
    weights: list[float] = []
    sizes: list[int] = []
    counts = np.ones(len(values)) if counts is None else counts
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        means.append(value)
        weights.append(float(count))
        sizes.append(1)
        while len(means) > 1 and means[-2] > means[-1]:
            weight, value, size = weights.pop(), means.pop(), sizes.pop()
            means[-1] = (means[-1] * weights[-1] + value * weight) / (weights[-1] + weight)
            weights[-1] += weight
            sizes[-1] += size
    return np.repeat(means, sizes)


def _monotone(curve: np.ndarray) -> np.ndarray:
    """Nearest non-decreasing curve, >= 0."""
    return np.maximum(non_decreasing(curve), 0)
