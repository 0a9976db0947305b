"""The pixels of Radiance files: shared exponents and their three ways of storing a line.

A line is either new run-length code (per channel; Radiance since 1991), or plain pixels in which
(1, 1, 1, n) repeats the last pixel n times (older; consecutive counts are digits to the base 256).
"""

from __future__ import annotations

from typing import Any

import numpy as np

MIN_RUN_LENGTH_LINE, MAX_RUN_LENGTH_LINE = 8, 0x7FFF
MAX_COUNT, LONGEST_RUN, SHORTEST_RUN = 128, 127, 4
EXPONENTS = (-118, 127)  # smallest for which 2^(8 - exponent) is a float32
EXPONENT_BIAS = 128 + 8  # of the exponent, and the 8 bits of the mantissa


def decode_rgbe(rgbe: np.ndarray) -> np.ndarray:
    """(H, W, 4) uint8 -> (H, W, 3) float32 light. Exponent 0 is black."""
    scales = np.ldexp(np.float32(1), np.arange(256) - EXPONENT_BIAS).astype(np.float32)
    scales[0] = 0
    light = np.empty((*rgbe.shape[:2], 3), np.float32)
    for row, out in zip(rgbe, light, strict=True):  # by rows: temporaries stay in the cache
        np.multiply(row[:, :3], scales[row[:, 3]][:, None], out=out)
    return light


def encode_rgbe(linear: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 light >= 0 -> (H, W, 4) uint8, rounded to nearest; too dark becomes 0."""
    rgbe = np.empty((*linear.shape[:2], 4), np.uint8)
    for row, out in zip(linear, rgbe, strict=True):
        # Less than half a step below a power of two rounds up to 256 and needs the next exponent.
        _, exponent = np.frexp(
            np.maximum(np.maximum(row[:, 0], row[:, 1]), row[:, 2]) * np.float32(512 / 511)
        )
        exponent = np.clip(exponent, *EXPONENTS)
        scaled = row * np.ldexp(np.float32(1), 8 - exponent)[:, None]
        out[:, :3] = np.minimum(np.rint(scaled, out=scaled), 255, out=scaled)
        out[:, 3] = (exponent + 128) * scaled.any(axis=1)
    return rgbe


def decode_pixels(data: Any, start: int, lines: int, length: int) -> np.ndarray:
    """(lines, length, 4) uint8 from the bytes after the header. Raises ValueError when they are damaged."""
    stored = np.empty((lines, length, 4), np.uint8)
    by_runs = MIN_RUN_LENGTH_LINE <= length <= MAX_RUN_LENGTH_LINE
    marker = bytes((2, 2, length >> 8, length & 255)) if by_runs else b"never"
    position = start
    for line in stored:
        if data[position : position + 4] == marker:
            position = _decode_runs(data, position + 4, line)
        else:
            position = _decode_plain(data, position, line)
    return stored


def _decode_runs(data: Any, position: int, line: np.ndarray) -> int:
    """One line of new run-length code: four channels, each as counts with values; returns where it ends."""
    length = len(line)
    block = data[position : position + 4 * (length + length // MAX_COUNT + 2 + length)]
    out, at = bytearray(), 0
    for channel in range(1, 5):
        full = channel * length
        while len(out) < full:
            count = block[at] if at + 1 < len(block) else 0
            if count > MAX_COUNT:
                out += block[at + 1 : at + 2] * (count - MAX_COUNT)
                at += 2
            else:
                out += block[at + 1 : at + 1 + count]
                at += 1 + count
            if count == 0 or at > len(block):
                raise ValueError("the pixels end early" if at >= len(block) - 1 else "a run of length 0")
        if len(out) > full:
            raise ValueError("a run crosses the end of its line")
    line[:] = np.frombuffer(out, np.uint8).reshape(4, length).T
    return position + at


def _decode_plain(data: Any, position: int, line: np.ndarray) -> int:
    """One line of plain pixels with repeats of the older kind; returns where it ends."""
    length = len(line)
    block = data[position : position + 4 * length]
    codes = np.frombuffer(block, np.uint8, len(block) // 4 * 4).reshape(-1, 4)
    repeats = (codes[:, :3] == 1).all(axis=1)
    if not repeats.any() and len(codes) == length:
        line[:] = codes
        return position + 4 * length
    index = np.arange(len(codes))
    source = np.maximum.accumulate(np.where(repeats, -1, index)) if len(codes) else index
    digit = index - source - 1  # of several repeats in a row, each counts 256 times the one before
    if (source < 0).any() or (digit > 2).any():
        raise ValueError("a repeat without a pixel")
    counts = np.where(repeats, codes[:, 3].astype(np.int64) << (8 * np.maximum(digit, 0)), 1)
    ends = np.cumsum(counts)
    last = int(np.searchsorted(ends, length))
    if last == len(ends) or ends[last] != length:
        raise ValueError("the pixels end early" if last == len(ends) else "a run crosses the end of its line")
    line[:] = np.repeat(codes[source[: last + 1]], counts[: last + 1], axis=0)
    return position + 4 * (last + 1)


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
