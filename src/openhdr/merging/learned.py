"""Merging with a learned judgement: physics merges, a small network decides what to trust.

Frames are compared and merged as the classical merger does it (`ghosts`, `mle`). Between these two steps a network
looks at the comparison at working size and corrects the trust in every frame and the backdrop of what no frame
measured. After them another one, at full size, moves each value within a few of its standard deviations: it takes
noise out of what is noisy, leaves alone what is well exposed, and is free only where nothing was measured. Frames
share their weights and are told apart by what they show, so 2 to 9 of them will do, with any exposures and any
reference. Both networks are ONNX files in the package (`openhdr.models.trustnet` trains and exports them).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

import numpy as np
import onnxruntime

from openhdr.core import progress
from openhdr.core.errors import FileError
from openhdr.merging import MERGERS, mle
from openhdr.merging.features import LOG_MU, MU, features_of, mu_code, mu_decode
from openhdr.merging.ghosts import Comparison
from openhdr.merging.samples import Stack, decode
from openhdr.merging.strips import Merged, merge_known

TILE, MARGIN = 768, 64  # pixels; a refined value depends on less than the margin around it
UNSURE = 0.01  # a sigmoid never says 0 or 1; so near them it means them
LEAST_SD, MOST_SD = 1e-5, 0.3  # of mu codes


@dataclass(frozen=True)
class Learned:
    """radiance: (H, W, 3) float32, 1.0 = the reference clips; stack: with the trust and backdrop that were used."""

    radiance: np.ndarray
    stack: Stack


def merge(comparison: Comparison, name: str = "trustnet") -> Learned:
    """Merge a compared bracket. Without a search for ghosts nothing is decided, only refined."""
    stack = comparison.stack if comparison.composite is None else decide(comparison, name)
    return Learned(refine(stack, merge_known(stack, mle.combine), name), stack)


def merge_tiny(comparison: Comparison) -> Learned:
    """The same with a quarter of the arithmetic."""
    return merge(comparison, "trustnet-tiny")


def decide(comparison: Comparison, name: str) -> Stack:
    """The stack with the network's trust and backdrop."""
    features = features_of(comparison)
    with progress.task("deciding what to trust", 1) as advance:
        feed = {"frames": features.frames, "shared": features.shared}
        found, factor = _session(name, "decide").run(None, feed)
        advance()
    trust = list(comparison.stack.trust)
    for index, one in zip(features.others, found, strict=True):
        trust[index] = np.clip((one - UNSURE) / (1 - 2 * UNSURE), 0, 1)
    backdrop = comparison.stack.backdrop * factor.transpose(1, 2, 0)
    return replace(comparison.stack, trust=trust, backdrop=backdrop)


def refine(stack: Stack, merged: Merged, name: str) -> np.ndarray:
    """(H, W, 3) float32 radiance: the merged picture, tile by tile through the second network."""
    height, width = stack.shape
    result = np.empty_like(merged.radiance)
    session = _session(name, "refine")
    tops, lefts = range(0, height, TILE), range(0, width, TILE)
    with progress.task("refining", len(tops) * len(lefts)) as advance:
        for top in tops:
            rows = slice(max(top - MARGIN, 0), min(top + TILE + MARGIN, height))
            reference = _reference_code(stack, rows)
            for left in lefts:
                columns = slice(max(left - MARGIN, 0), min(left + TILE + MARGIN, width))
                (code,) = session.run(
                    None, {"merged": _seen(merged, reference[:, columns], rows, columns)[None]}
                )
                inner = code[0, :, top - rows.start :, left - columns.start :][:, :TILE, :TILE]
                result[top : top + TILE, left : left + TILE] = mu_decode(inner).transpose(1, 2, 0)
                advance()
    # a clipped level is a bound, and no noise is taken out of a bound
    bound = (merged.weight <= 0) & (merged.coverage > 0.5)
    result[bound] = merged.radiance[bound]
    return result


def _reference_code(stack: Stack, rows: slice) -> np.ndarray:
    reference = stack.bracket.reference
    image = stack.bracket.frames[reference].image
    return mu_code(decode(image.with_pixels(image.pixels[rows]), stack.responses[reference]))


def _seen(merged: Merged, reference: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
    """(8, h, w) float32: merged codes (3), their standard deviation, coverage, the reference's codes (3)."""
    light = merged.radiance[rows, columns]
    weight = merged.weight[rows, columns]
    sd = (MU / LOG_MU) / (np.sqrt(np.maximum(weight, 1)) * (1 + MU * light.mean(axis=2)))
    planes = np.empty((8, *sd.shape), np.float32)
    planes[:3] = mu_code(light).transpose(2, 0, 1)
    planes[3] = np.clip(sd, LEAST_SD, MOST_SD)
    planes[4] = merged.coverage[rows, columns]
    planes[5:] = reference.transpose(2, 0, 1)
    return planes


@cache
def _session(name: str, part: str) -> onnxruntime.InferenceSession:
    """A network of the package, checked before it is run."""
    file = resources.files("openhdr.merging").joinpath("weights", f"{name}-{part}.onnx")
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != dict(MERGERS[name].sha256)[part]:
        raise FileError(str(file), "is damaged (its SHA-256 differs)", "install openhdr again")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
