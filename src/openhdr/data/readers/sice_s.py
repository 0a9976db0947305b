"""SICE-S (Zhang et al. 2023): for a middle exposure of a SICE stack, the best darker and brighter frame.

The paper describes the labels by their purpose: the exposure-up image is to recover what the input's
under-exposed regions lost, the exposure-down image what its over-exposed regions lost, by an amount that
depends on the image; its supplement with the procedure is not to be had. Our rule, from that description:

    in the regions where the input is under (over) exposed, the share of pixels that a candidate shows well
    exposed; the label is the candidate nearest to the input's exposure that reaches 98 % of the best share.

Under-exposed: the largest channel below 0.1; over-exposed: above 0.9; well exposed: luminance between 0.15
and 0.85 of full scale. Where the input has no such region, the nearest frame is the label.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from openhdr.color.luminance import luminance
from openhdr.data.dataset import Dataset, Entry
from openhdr.data.readers.sice import open_stacks
from openhdr.data.sample import Sample

DARK, BRIGHT = 0.1, 0.9  # of full scale: where the input is under- and over-exposed
WELL = (0.15, 0.85)  # of full scale: what counts as recovered
ENOUGH = 0.98  # of the best share


def open_sice_s(root: Path, split: str) -> Dataset:
    """The stacks of one split as input, `up` and `down`."""
    stacks = open_stacks("sice-s", root, split)
    entries = {name: Entry(entry.files, partial(_label, entry)) for name, entry in stacks.entries.items()}
    return Dataset("sice-s", root, stacks.layout, entries)


def choose_labels(frames: tuple[np.ndarray, ...], middle: int) -> tuple[int, int]:
    """Indices of the best darker and the best brighter frame for the input `middle`.

    frames: N x (H, W, 3) uint8 or uint16, dark to bright, 0 < middle < N - 1.
    """
    scale = float(np.iinfo(frames[middle].dtype).max)
    peak = frames[middle].max(axis=2) / scale
    down = _nearest_good(frames, range(middle - 1, -1, -1), peak > BRIGHT)
    up = _nearest_good(frames, range(middle + 1, len(frames)), peak < DARK)
    return down, up


def _nearest_good(frames: tuple[np.ndarray, ...], candidates: range, region: np.ndarray) -> int:
    if not region.any():
        return candidates[0]
    shares = []
    for k in candidates:
        light = luminance(frames[k][region].astype(np.float32)) / np.iinfo(frames[k].dtype).max
        shares.append(float(np.mean((light > WELL[0]) & (light < WELL[1]))))
    return next(k for k, share in zip(candidates, shares, strict=True) if share >= ENOUGH * max(shares))


def _label(entry: Entry) -> Sample:
    stack = entry.load()
    middle = stack.reference
    down, up = choose_labels(stack.frames, middle)
    extras = {"down": stack.frames[down], "up": stack.frames[up], "label": stack.extras["label"]}
    return Sample(stack.name, (stack.frames[middle],), (0.0,), 0, "srgb", None, extras)
