"""The camera's curve and its noise, recovered from what the frames of a bracket show of the same places.

The model: a place of log2 light X is recorded by a frame of exposure EV as the code f(X + EV), one rising curve f for
all frames. Frame and curve are found in turns (as in Robertson, Borman & Stevenson 2003): X as the mean over the
frames, f as the isotonic regression of the codes on X + EV. Fitting the codes, not the light, keeps the noise of
dark places out of the curve. The first curve is sRGB's with the contrast (log2 light times a factor) that the frames
follow best. Where no code was seen the curve goes on as that one: a penalty on the second difference of what lies
between the two. Half of the places are fitted, and the turn that predicts the other half best is kept: later ones
bend with the noise, in waves as wide as the exposure step, which no equal steps contradict.

All channels have one curve, because cameras apply one to all; film and scanners do not, so each channel gets its
own where that predicts codes clearly better, or a curve half way between the two where that is as good. One frame at a
time is left out and predicted from the others: the error of that prediction says how good the curve is, and whether it
is better than the assumed one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from openhdr.camera.calibration import non_decreasing
from openhdr.camera.response import ASSUMED_RESPONSE, Response, analytic

LEVELS = 256
DARKEST = 3  # code from which curves are measured ...
BELOW_CLIPPING = 4  # ... up to so many codes below the clipping code
ITERATIONS, CONVERGED = 12, 0.004  # alternations at most; stops by which the curve still changes
BINS = 800  # of X + EV; the regression works on their means
STIFFNESS = 1000.0  # of the curve against bends that the first curve does not have
PARALLEL = 3.0  # ... and against leaving the first curve's slope
LEAST_PIXELS = 400  # places that two frames expose properly
OWN_CURVES = 0.9  # relative error under which each channel gets a curve of its own ...
HALF_WAY = 1.03  # ... and up to which, relative to that curve's, it is drawn half way towards the common one
CONTRASTS = np.arange(0.5, 1.45, 0.05)  # of the first curve, times sRGB's
ALIKE = 0.8  # share of the places, those predicted best, by which turns are compared: others may have changed
OUTLIER = 2.5  # times the median error: a place that changed between the frames


@dataclass(frozen=True)
class Recovery:
    """A recovered response and how well it predicts.

    error: root mean square error, in 8-bit codes, of frames predicted from the others through the recovered curve;
    assumed_error: the same through the assumed one.
    """

    response: Response
    error: float
    assumed_error: float


def recover(
    codes: np.ndarray, ev: np.ndarray, clip: float = 255.0, assumed: Response | None = None
) -> Recovery | None:
    """Recover the response that the frames of a bracket share; None if they do not determine one.

    codes: (P, N, 3) float32, 0..255: P places as N frames show them, NaN where a frame does not. ev: (N,) stops.
    clip: the code that clips. assumed: the curve that the recovered one is compared with; None = sRGB.
    """
    top = clip - BELOW_CLIPPING
    with np.errstate(invalid="ignore"):
        measured = ((codes >= DARKEST) & (codes <= top)).all(axis=2)
    codes = codes[measured.sum(axis=1) >= 2]
    if len(codes) < LEAST_PIXELS:
        return None
    halves = codes[::2], codes[1::2]
    first = _first_curve(halves[0], ev, top)
    shared = _alternate(halves, ev, _for_channels(first), first, top, together=True)
    if shared is None:
        return None
    judging = halves[1][_unchanged(halves[1], ev, shared, top)]
    error = _prediction_error(judging, ev, shared, top)
    if not np.isfinite(error):
        return None
    best = shared
    if len(codes) > 4 * LEAST_PIXELS:
        apart = _alternate(halves, ev, shared, first, top, together=False)
        if apart is not None:
            half = (apart + shared) / 2
            own, halved = (_prediction_error(judging, ev, one, top) for one in (apart, half))
            if min(own, halved) < OWN_CURVES * error:
                best, error = (half, halved) if halved <= HALF_WAY * own else (apart, own)
    judged = _for_channels(assumed_log()) if assumed is None else logarithm_of(assumed)
    return Recovery(_as_response(best, clip, error), error, _prediction_error(judging, ev, judged, top))


@cache
def assumed_log() -> np.ndarray:
    """(256,) log2 light of the codes by the assumed response."""
    return logarithm_of(analytic(ASSUMED_RESPONSE))[:, 0]


def _for_channels(curve: np.ndarray) -> np.ndarray:
    """(256,) -> (256, 3): one curve for all channels."""
    return np.repeat(curve[:, None], 3, axis=1)


def logarithm_of(response: Response) -> np.ndarray:
    """(256, 3) log2 light of the 8-bit codes; code 0 as half of code 1."""
    light = response.table(np.dtype(np.uint8)).astype(np.float64)
    light[0] = light[1] / 2
    return np.log2(np.maximum(light, 1e-9))


def _weights(codes: np.ndarray, top: float) -> np.ndarray:
    """A hat over the codes; 0 outside of what is measured."""
    weight = np.minimum(codes - DARKEST + 1, top + 1 - codes)
    return np.nan_to_num(np.maximum(weight, 0)) / 128


def _light(
    codes: np.ndarray, ev: np.ndarray, curve: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """((P,) log2 light, (P,) bool known by two frames) of one channel. codes: (P, N); curve: (256,)."""
    log = np.interp(np.nan_to_num(codes), np.arange(LEVELS), curve) - ev
    total = weight.sum(axis=1)
    return (weight * log).sum(axis=1) / np.maximum(total, 1e-9), (weight > 0).sum(axis=1) >= 2


def _first_curve(codes: np.ndarray, ev: np.ndarray, top: float) -> np.ndarray:
    """(256,) log2 light of the codes: sRGB's, with the contrast by which frames predict each other best.

    Every eighth place is enough to tell.
    """

    def error(contrast: float) -> float:
        curves = _for_channels(contrast * assumed_log())
        residual = _residual(codes[::8], ev, curves - curves[LEVELS // 2], top)
        known = np.isfinite(residual)
        return float(np.median(np.abs(residual[known]))) if known.any() else np.inf

    errors = [error(contrast) for contrast in CONTRASTS]
    best = int(np.argmin(errors))
    return (CONTRASTS[best] if np.isfinite(errors[best]) else 1.0) * assumed_log()


def _alternate(
    halves: tuple[np.ndarray, np.ndarray],
    ev: np.ndarray,
    start: np.ndarray,
    first: np.ndarray,
    top: float,
    together: bool,
) -> np.ndarray | None:
    """(256, 3) log2 light of the codes, 0 at code 128.

    halves: codes of the places that are fitted, and of those that judge the turns.
    """
    codes, judging = halves
    weight = _weights(codes, top)
    curves = start - start[LEVELS // 2]
    use = np.ones(len(codes), bool)
    best, least = curves, np.inf
    for turn in range(ITERATIONS):
        pairs = []
        for channel in range(3):
            seen = codes[use, :, channel]
            light, known = _light(seen, ev, curves[:, channel], weight[use, :, channel])
            exposed = (light[:, None] + ev)[known]
            value = seen[known]
            # clipped and crushed codes tell where the curve ends, as far as they are near
            low, high = curves[DARKEST, channel] - 1.5, curves[int(top), channel] + 1
            near = (exposed > low) & (exposed < high) & np.isfinite(value)
            pairs.append((exposed[near], value[near]))
        if min(len(one[0]) for one in pairs) < LEAST_PIXELS:
            return None
        if together:
            exposed, value = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
            new = _for_channels(_curve_through(exposed, value, curves[:, 1], first, top))
            new -= new[LEVELS // 2]
        else:
            new = np.stack(
                [_curve_through(*pair, curves[:, channel], first, top) for channel, pair in enumerate(pairs)],
                axis=1,
            )
            new = _balanced(new, [value for _, value in pairs])
        change = np.abs(new - curves)[8 : int(top) - 8].max()
        curves = new
        error = _typical_error(judging[::3], ev, curves, top)
        if error < least:
            best, least = curves, error
        if turn == 1:
            use = _unchanged(codes, ev, curves, top)
        if turn > 1 and change < CONVERGED:
            break
    return best


def _curve_through(
    exposed: np.ndarray, value: np.ndarray, before: np.ndarray, first: np.ndarray, top: float
) -> np.ndarray:
    """(256,) log2 light of the codes: the isotonic regression of codes on light, inverted and smoothed."""
    order = np.argsort(exposed)
    edges = np.unique(np.linspace(0, len(order), BINS + 1).astype(int))
    count = np.diff(edges)
    light = np.add.reduceat(exposed[order], edges[:-1]) / count
    mean = non_decreasing(np.add.reduceat(value[order].astype(np.float64), edges[:-1]) / count, count)
    grid = np.arange(LEVELS)
    inside = (grid >= max(DARKEST, np.ceil(mean[0]))) & (grid <= min(top, np.floor(mean[-1])))
    measured = np.interp(grid, mean + np.arange(len(mean)) * 1e-7, light)
    # a code counts by how often it was seen and by how finely it tells light
    often = np.convolve(
        np.bincount(np.round(value).astype(int), minlength=LEVELS)[:LEVELS], np.ones(5) / 5, "same"
    )
    weight = np.where(inside, often / np.square(np.maximum(np.gradient(before), 2e-3)), 0)
    weight = np.minimum(weight * (1000 / max(weight.max(), 1e-9)), 50)
    # least squares: near the measured curve, and as free of bends as the first one where nothing was measured
    away = np.linalg.solve(np.diag(weight + 1e-9) + _stiffness(), weight * (measured - first))
    return np.maximum.accumulate(first + away + grid * 1e-6)


@cache
def _stiffness() -> np.ndarray:
    """(256, 256) squared cost of a curve's differences from the first one, as a quadratic form."""
    codes = np.arange(1, LEVELS - 1)
    bend = np.zeros((LEVELS - 2, LEVELS))
    # logarithms bend more near black
    bend[codes - 1, codes] = -2 * np.minimum(1, ((codes + 2) / 64) ** 1.5)
    bend[codes - 1, codes - 1] = bend[codes - 1, codes + 1] = -bend[codes - 1, codes] / 2
    drift = np.diff(np.eye(LEVELS), axis=0)  # keeps a curve that ends early parallel to the first one
    return STIFFNESS * bend.T @ bend + PARALLEL * drift.T @ drift


def _balanced(curves: np.ndarray, values: list[np.ndarray]) -> np.ndarray:
    """Channels on one scale, which a bracket leaves open: equal codes are neutral on average."""
    seen = np.minimum.reduce(
        [np.bincount(np.round(value).astype(int), minlength=LEVELS)[:LEVELS] for value in values]
    )
    weight = np.minimum(np.arange(LEVELS), LEVELS - 1 - np.arange(LEVELS)) * (seen > 0)
    return curves - (weight[:, None] * curves).sum(axis=0) / max(weight.sum(), 1)


def _residual(codes: np.ndarray, ev: np.ndarray, curves: np.ndarray, top: float) -> np.ndarray:
    """(P, N, 3) codes by which each frame differs from what the others predict; NaN where that is not known."""
    weight = _weights(codes, top)
    result = np.full(codes.shape, np.nan)
    grid = np.arange(LEVELS)
    for channel in range(3):
        curve, seen = curves[:, channel], codes[..., channel]
        log = weight[..., channel] * (np.interp(np.nan_to_num(seen), grid, curve) - ev)
        for index in range(len(ev)):
            others = weight[..., channel].sum(axis=1) - weight[:, index, channel]
            light = (log.sum(axis=1) - log[:, index]) / np.maximum(others, 1e-9)
            predicted = np.interp(light + ev[index], curve, grid)
            known = (others > 0.05) & (weight[:, index, channel] > 0)
            result[known, index, channel] = (seen[:, index] - predicted)[known]
    return result


def _unchanged(codes: np.ndarray, ev: np.ndarray, curves: np.ndarray, top: float) -> np.ndarray:
    """(P,) bool: places at which the frames agree about as well as at most others."""
    error = np.sqrt(np.mean(np.square(np.nan_to_num(_residual(codes, ev, curves, top))), axis=(1, 2)))
    return error <= OUTLIER * max(float(np.median(error)), 0.5)


def _prediction_error(codes: np.ndarray, ev: np.ndarray, curves: np.ndarray, top: float) -> float:
    """Root mean square residual in codes; infinite where no frame can be predicted from the others."""
    residual = _residual(codes, ev, curves - curves[LEVELS // 2], top)
    known = residual[np.isfinite(residual)]
    return float(np.sqrt(np.mean(np.square(known)))) if len(known) else np.inf


def _typical_error(codes: np.ndarray, ev: np.ndarray, curves: np.ndarray, top: float) -> float:
    """Mean square residual of the places that are predicted best, in codes."""
    residual = _residual(codes, ev, curves, top)
    known = np.isfinite(residual)
    count = known.sum(axis=(1, 2))
    squares = np.where(known, np.square(residual), 0).sum(axis=(1, 2))[count > 0] / count[count > 0]
    return float(np.sort(squares)[: max(int(ALIKE * len(squares)), 1)].mean()) if len(squares) else np.inf


def _as_response(curves: np.ndarray, clip: float, error: float) -> Response:
    """The response: 1.0 is the light at which the last channel clips; black is no light."""
    light = np.exp2(curves - curves[round(clip)].max())
    light[round(clip) + 1 :] = light[round(clip)]
    light[0] = 0
    return Response("measured", light / light.max(), error)
