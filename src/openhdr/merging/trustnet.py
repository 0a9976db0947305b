"""TrustNet, the default merger: physics merges, a small network decides what to trust, another takes out noise.

Frames are compared and merged as the classical merger does it (`ghosts`, `mle`). Between these two steps a network
looks at the comparison at working size (`trustnet_features`) and corrects the trust in every frame and the backdrop
of what no frame measured. After them another one, at full size, moves each value within a few of its standard
deviations: it takes noise out of what is noisy, leaves alone what is well exposed, and is free only where nothing was
measured. Frames share their weights and are told apart by what they show, so 2 to 9 of them will do, with any
exposures and any reference. Both networks are ONNX files in the package (`openhdr.models.trustnet` has their layers).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

import numpy as np
import onnxruntime

from openhdr.core import progress
from openhdr.core.errors import FileError
from openhdr.core.threads import cores
from openhdr.merging import MERGERS, mle
from openhdr.merging.ghosts import Comparison
from openhdr.merging.samples import Stack, decode
from openhdr.merging.strips import Merged, merge_known
from openhdr.merging.trustnet_features import features_of

TILE, MARGIN = 512, 56  # pixels, divisible by 8; a refined value depends on no more than the margin around it
UNSURE = 0.01  # a sigmoid never says 0 or 1; so near them it means them


@dataclass(frozen=True)
class MergedStack:
    """radiance: (H, W, 3) float32, 1.0 = the reference clips; stack: with the trust and backdrop that were used."""

    radiance: np.ndarray
    stack: Stack


@dataclass(frozen=True)
class Networks:
    """Both networks, on float32 arrays.

    decide: frames (K, 13, h, w), shared (11, h, w) -> trust (K, h, w), factor (3, h, w).
    refine: merged (1, 8, h, w) -> radiance (1, 3, h, w); called from several threads at a time.
    """

    decide: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    refine: Callable[[np.ndarray], np.ndarray]


def merge(comparison: Comparison, name: str = "trustnet", networks: Networks | None = None) -> MergedStack:
    """Merge a compared bracket. Without a search for ghosts nothing is decided, only refined.

    A bracket whose response was measured is not refined: the network knows the noise of sensors, and what is left in
    photos with a camera's own curve is what its denoising and compression left.
    networks: take these instead of the shipped ones of that name.
    """
    networks = networks or shipped(name)
    stack = comparison.stack if comparison.composite is None else decide(comparison, networks)
    merged = merge_known(stack, mle.combine)
    return MergedStack(merged.radiance if stack.noise.codes else refine(stack, merged, networks), stack)


def merge_tiny(comparison: Comparison) -> MergedStack:
    """The same with a quarter of the arithmetic."""
    return merge(comparison, "trustnet-tiny")


def shipped(name: str) -> Networks:
    """The networks of the package; each file is read when it is first needed."""
    return Networks(
        lambda frames, shared: _session(name, "decide").run(None, {"frames": frames, "shared": shared}),
        # one tile a core costs less than one tile on all
        lambda merged: _session(name, "refine", threads=1).run(None, {"merged": merged})[0],
    )


def decide(comparison: Comparison, networks: Networks) -> Stack:
    """The stack with the network's trust and backdrop."""
    features = features_of(comparison)
    with progress.task("deciding what to trust", 1) as advance:
        found, factor = networks.decide(features.frames, features.shared)
        advance()
    # where every frame clips there is nothing to decide, and a pattern in a white sky would be seen
    open_to_doubt = ~np.logical_and.reduce([frame.bound.all(axis=2) for frame in comparison.frames])
    trust = list(comparison.stack.trust)
    for index, one in zip(features.others, found, strict=True):
        sure = np.clip((one - UNSURE) / (1 - 2 * UNSURE), 0, 1)
        trust[index] = np.where(open_to_doubt, sure, trust[index])
    factor = np.where(open_to_doubt, factor, 1).transpose(1, 2, 0)
    backdrop = np.ascontiguousarray(comparison.stack.backdrop * factor)
    return replace(comparison.stack, trust=trust, backdrop=backdrop)


def refine(stack: Stack, merged: Merged, networks: Networks) -> np.ndarray:
    """(H, W, 3) float32 radiance: the merged picture, tile by tile through the second network."""
    height, width = stack.shape
    result = np.empty_like(merged.radiance)
    corners = [(top, left) for top in range(0, height, TILE) for left in range(0, width, TILE)]

    def work(corner: tuple[int, int]) -> None:
        top, left = corner
        rows = slice(max(top - MARGIN, 0), min(top + TILE + MARGIN, height))
        columns = slice(max(left - MARGIN, 0), min(left + TILE + MARGIN, width))
        refined = networks.refine(_seen(stack, merged, rows, columns)[None])
        inner = refined[0, :, top - rows.start :, left - columns.start :][:, :TILE, :TILE]
        result[top : top + TILE, left : left + TILE] = inner.transpose(1, 2, 0)

    with progress.task("refining", len(corners)) as advance, ThreadPoolExecutor(cores()) as pool:
        for _ in pool.map(work, corners):
            advance()
    return result


def _seen(stack: Stack, merged: Merged, rows: slice, columns: slice) -> np.ndarray:
    """(8, h, w) float32: radiance (3), weight, coverage, the reference's light (3)."""
    reference = stack.bracket.reference
    image = stack.bracket.frames[reference].image
    light = decode(image.with_pixels(image.pixels[rows, columns]), stack.responses[reference])
    planes = np.empty((8, *light.shape[:2]), np.float32)
    planes[:3] = merged.radiance[rows, columns].transpose(2, 0, 1)
    planes[3] = merged.weight[rows, columns]
    planes[4] = merged.coverage[rows, columns]
    planes[5:] = light.transpose(2, 0, 1)
    return planes


@cache
def _session(name: str, part: str, threads: int = 0) -> onnxruntime.InferenceSession:
    """A network of the package, checked before it is run."""
    file = resources.files("openhdr.merging").joinpath("weights", f"{name}-{part}.onnx")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise FileError(str(file), f"cannot be read ({error.strerror})", "install openhdr again") from error
    if hashlib.sha256(content).hexdigest() != dict(MERGERS[name].sha256)[part]:
        raise FileError(str(file), "is damaged (its SHA-256 differs)", "install openhdr again")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = part == "refine"  # it keeps what was needed, and only tiles are small
    options.intra_op_num_threads = threads  # 0 = all cores
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
