"""SICE-S (Zhang et al. 2023): for a middle exposure of a SICE stack, the best darker and brighter frame.

The paper describes the labels by their purpose: the exposure-up image is to recover what the input's
under-exposed regions lost, the exposure-down image what its over-exposed regions lost, by an amount that
depends on the image; its supplement with the procedure is not to be had. Our rule, from that description:

    in the regions where the input is under (over) exposed, the share of pixels that a candidate shows well
    exposed; the label is the candidate nearest to the input's exposure that reaches 98 % of the best share.

Where the folder holds the authors' own images they are taken instead: Dataset_PartK/Up/N.JPG and Down/N.JPG (or .PNG).

The truth of the light is a fusion of the whole stack: Dataset_PartK/HDR/N.hdr or .exr where there is one (the paper
used Photomatix), otherwise ours, by Debevec and Malik's weights, exposures measured in the pixels; 1.0 = the middle
exposure clips. A stack whose exposures cannot be measured has none.

Under-exposed: the largest channel below 0.1; over-exposed: above 0.9; well exposed: luminance between 0.15
and 0.85 of full scale. Where the input has no such region, the nearest frame is the label.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from openhdr.bracketing.exposure_estimation import estimate_ev
from openhdr.camera.response import parse
from openhdr.color.luminance import luminance
from openhdr.core.errors import ExposureError
from openhdr.core.image import Bracket, Frame, Image
from openhdr.data.dataset import Dataset, Entry, first_folder
from openhdr.data.files import read_codes, read_linear
from openhdr.data.readers.sice import IMAGES, open_stacks
from openhdr.data.sample import Sample
from openhdr.data.splits import numbered
from openhdr.geometry import identity
from openhdr.io import images_in
from openhdr.merging import MERGERS
from openhdr.merging.registered import RegisteredBracket

DARK, BRIGHT = 0.1, 0.9  # of full scale: where the input is under- and over-exposed
WELL = (0.15, 0.85)  # of full scale: what counts as recovered
ENOUGH = 0.98  # of the best share


def open_sice_s(root: Path, split: str) -> Dataset:
    """The stacks of one split as input, `up` and `down`; splits/sice-s.json says whose the splits are."""
    tested = numbered("sice-s", "test")
    chosen: dict[str, Callable[[int, int], bool]] = {
        "train": lambda part, number: part == 1,
        "test": lambda part, number: part == 2 and number in tested,
        "all": lambda part, number: True,
    }
    stacks = open_stacks("sice-s", root, chosen[split])
    entries = {
        name: Entry(e.files, partial(_label, e, e.files[0].parents[1])) for name, e in stacks.entries.items()
    }
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


def _label(entry: Entry, part: Path) -> Sample:
    """part: the folder of the stacks' part, in which images of the user's stand beside the labels."""
    stack = entry.load()
    number = stack.name.rpartition("/")[2]
    middle = stack.reference

    def own(folder: str, suffixes: tuple[str, ...]) -> Path | None:
        there = images_in(first_folder(part, (folder,)) or part / folder, suffixes)
        return next((path for path in there if path.stem == number), None)

    down, up = (
        read_codes(path) if path else stack.frames[chosen]
        for path, chosen in zip(
            (own("Down", IMAGES), own("Up", IMAGES)), choose_labels(stack.frames, middle), strict=True
        )
    )
    fused = own("HDR", (".hdr", ".exr"))
    truth = read_linear(fused) if fused else fuse_stack(stack.frames, middle)
    extras = {"down": down, "up": up, "label": stack.extras["label"]}
    return Sample(stack.name, (stack.frames[middle],), (0.0,), 0, "srgb", truth, extras)


def fuse_stack(frames: tuple[np.ndarray, ...], middle: int) -> np.ndarray | None:
    """(H, W, 3) float32 light of a still stack of sRGB codes, 1.0 = frame `middle` clips; None where no exposures can
    be measured.
    """
    images = [Image(frame, "srgb") for frame in frames]
    response = parse("srgb")
    names = [f"exposure {number}" for number in range(1, len(images) + 1)]
    try:
        ev = estimate_ev(images, response, names)
    except ExposureError:
        return None
    stops = [float(one - ev[middle]) for one in ev]
    bracket = Bracket(tuple(map(Frame, images, stops, names)), middle)
    places = [identity("reference" if k == middle else "kept") for k in range(len(images))]
    still = RegisteredBracket(bracket, [response] * len(images), places, [None] * len(images))
    return MERGERS["debevec"].load().merge(still).pixels
