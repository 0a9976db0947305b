"""The pixels of Radiance files: shared exponents and their three ways of storing lines.

Lines are either new run-length code (per channel; Radiance since 1991), or plain pixels in which
(1, 1, 1, n) repeats the last pixel n times (older; consecutive counts are digits to the base 256).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

MIN_RUN_LENGTH_LINE, MAX_RUN_LENGTH_LINE = 8, 0x7FFF
MAX_COUNT, LONGEST_RUN, SHORTEST_RUN = 128, 127, 4
PIXELS_AT_A_TIME = 1 << 15
EXPONENTS = (-118, 127)  # smallest for which 2^(8 - exponent) is a float32
EXPONENT_BIAS = 128 + 8  # of the exponent, and the 8 bits of the mantissa


def decode_rgbe(rgbe: np.ndarray) -> np.ndarray:
    """(..., 4) uint8 -> (..., 3) float32 light. Exponent 0 is black."""
    scales = np.ldexp(np.float32(1), np.arange(256) - EXPONENT_BIAS).astype(np.float32)
    scales[0] = 0
    light = np.empty((*rgbe.shape[:-1], 3), np.float32)
    for codes, out in _pieces(rgbe, light):
        np.multiply(codes[:, :3], scales[codes[:, 3]][:, None], out=out)
    return light


def encode_rgbe(linear: np.ndarray) -> np.ndarray:
    """(..., 3) float32 light >= 0 -> (..., 4) uint8, rounded to nearest; too dark becomes 0."""
    rgbe = np.empty((*linear.shape[:-1], 4), np.uint8)
    for light, out in _pieces(np.ascontiguousarray(linear), rgbe):
        # Less than half a step below a power of two rounds up to 256 and needs the next exponent.
        _, exponent = np.frexp(
            np.maximum(np.maximum(light[:, 0], light[:, 1]), light[:, 2]) * np.float32(512 / 511)
        )
        exponent = np.clip(exponent, *EXPONENTS)
        scaled = light * np.ldexp(np.float32(1), 8 - exponent)[:, None]
        out[:, :3] = np.minimum(np.rint(scaled, out=scaled), 255, out=scaled)
        out[:, 3] = (exponent + 128) * scaled.any(axis=1)
    return rgbe


def _pieces(source: np.ndarray, target: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The same pixels of two images, some thousands at a time: temporaries stay in the cache."""
    source, target = source.reshape(-1, source.shape[-1]), target.reshape(-1, target.shape[-1])
    for begin in range(0, len(source), PIXELS_AT_A_TIME):
        yield source[begin : begin + PIXELS_AT_A_TIME], target[begin : begin + PIXELS_AT_A_TIME]


def decode_pixels(data: bytes, lines: int, length: int) -> np.ndarray:
    """(lines, length, 3) float32 light from the bytes after the header. Raises ValueError when they are damaged."""
    import imagecodecs

    by_runs = MIN_RUN_LENGTH_LINE <= length <= MAX_RUN_LENGTH_LINE
    if not (by_runs and data[:4] == bytes((2, 2, length >> 8, length & 255))):
        return decode_rgbe(_decode_plain(data, lines, length))
    light = np.empty((lines, length, 3), np.float32)
    try:
        imagecodecs.rgbe_decode(data, header=False, rle=True, out=light)
    except imagecodecs.RgbeError as error:
        raise ValueError("the pixels end early or are damaged") from error
    return light


def _decode_plain(data: bytes, lines: int, length: int) -> np.ndarray:
    """(lines, length, 4) uint8 from plain pixels with repeats of the older kind, which do not cross lines."""
    pixels = lines * length
    codes = np.frombuffer(data, np.uint8, min(len(data) // 4, pixels) * 4).reshape(-1, 4)
    repeats = (codes[:, :3] == 1).all(axis=1)
    if not repeats.any() and len(codes) == pixels:
        return codes.reshape(lines, length, 4)
    index = np.arange(len(codes))
    source = np.maximum.accumulate(np.where(repeats, -1, index)) if len(codes) else index
    digit = index - source - 1  # of several repeats in a row, each counts 256 times the one before
    if (source < 0).any() or (digit > 2).any():
        raise ValueError("a repeat without a pixel")
    counts = np.where(repeats, codes[:, 3].astype(np.int64) << (8 * np.maximum(digit, 0)), 1)
    begins = np.concatenate(([0], np.cumsum(counts)))
    if begins[-1] < pixels:
        raise ValueError("the pixels end early")
    firsts = np.searchsorted(begins, np.arange(lines + 1) * length)  # where each line begins, and the end
    if (begins[firsts] != np.arange(lines + 1) * length).any() or repeats[firsts[:-1]].any():
        raise ValueError("a run crosses the end of its line")
    used = firsts[-1]
    return np.repeat(codes[source[:used]], counts[:used], axis=0).reshape(lines, length, 4)


def encode_pixels(rgbe: np.ndarray) -> bytes:
    """(H, W, 4) uint8 -> the bytes after the header, run-length coded where the format allows it."""
    length = rgbe.shape[1]
    if not MIN_RUN_LENGTH_LINE <= length <= MAX_RUN_LENGTH_LINE:
        return rgbe.tobytes()
    marker = bytes((2, 2, length >> 8, length & 255))
    out = bytearray()
    for line in rgbe:
        out += marker
        for channel in np.ascontiguousarray(line.T):
            _encode_channel(channel, out)
    return bytes(out)


def _encode_channel(values: np.ndarray, out: bytearray) -> None:
    """Append one channel of a line: runs of SHORTEST_RUN or more as (128 + count, value), else plain."""
    edges = np.concatenate(([0], np.flatnonzero(values[1:] != values[:-1]) + 1, [len(values)]))
    long = np.flatnonzero(np.diff(edges) >= SHORTEST_RUN)
    raw, done = values.tobytes(), 0
    for begin, end in zip(edges[long].tolist(), edges[long + 1].tolist(), strict=True):
        _append_plain(raw, done, begin, out)
        for at in range(begin, end, LONGEST_RUN):
            out += bytes((128 + min(LONGEST_RUN, end - at), raw[begin]))
        done = end
    _append_plain(raw, done, len(raw), out)


def _append_plain(raw: bytes, begin: int, end: int, out: bytearray) -> None:
    for at in range(begin, end, MAX_COUNT):
        count = min(MAX_COUNT, end - at)
        out.append(count)
        out += raw[at : at + count]
