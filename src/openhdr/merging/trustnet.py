"""TrustNet, the default merger: physics merges, a small network corrects the ghost masks, another takes out noise.

Frames are compared and merged as the classical merger does it (`ghosts`, `mle`). Between these two steps a network
looks at the comparison at working size (`trustnet_features`) and corrects the consistency of every frame and the fill
of holes that no frame measured. After them another one, at full size, moves each value within a few of its standard
deviations: it takes noise out of what is noisy, leaves alone what is well exposed, and is free only where nothing was
measured. Frames share their weights and are told apart by what they show, so 2 to 9 of them will do, with any
exposures and any reference. Both networks are ONNX files in the package (`openhdr.models.trustnet` has their layers).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

import numpy as np
import onnxruntime

from openhdr.core import progress
from openhdr.core.errors import FileError
from openhdr.core.threads import cores, in_threads
from openhdr.filters.channels import all_channels
from openhdr.merging import MERGERS, LearnedRow, mle
from openhdr.merging.ghosts import Comparison
from openhdr.merging.merger import Merger
from openhdr.merging.registered import RegisteredBracket, decode
from openhdr.merging.strips import Merged, merge_strips
from openhdr.merging.trustnet_features import features_of

TILE, MARGIN = 512, 56  # pixels, divisible by 8; a refined value depends on no more than the margin around it
UNSURE = 0.01  # a sigmoid never says 0 or 1; so near them it means them


@dataclass(frozen=True)
class Networks:
    """Both networks, on float32 arrays.

    decide: frames (K, 13, h, w), shared (11, h, w) -> consistency (K, h, w), factor of the hole fill (3, h, w).
    refine: merged (1, 8, h, w) -> radiance (1, 3, h, w); called from several threads at a time.
    """

    decide: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    refine: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class TrustNet(Merger):
    """name: of the row, for the shipped networks. networks: take these instead."""

    name: str
    networks: Networks | None = None

    def decide(self, comparison: Comparison) -> RegisteredBracket:
        """The registered bracket with the network's consistency and hole fill.

        Without a search for ghosts nothing is decided.
        """
        evidence, registered = comparison.evidence, comparison.registered
        if evidence is None:
            return registered
        features = features_of(evidence)
        with progress.task("deciding what moved", 1) as advance:
            found, factor = self._networks.decide(features.frames, features.shared)
            advance()
        # where every frame clips there is nothing to decide, and a pattern in a white sky would be seen
        strip = evidence.strip
        clipped = [all_channels(strip.clipped(index)) for index in range(len(strip.light))]
        open_to_doubt = ~np.logical_and.reduce(clipped)
        consistency: list[np.ndarray | None] = list(evidence.consistency)
        for index, one in zip(features.others, found, strict=True):
            sure = np.clip((one - UNSURE) / (1 - 2 * UNSURE), 0, 1)
            doubtful = open_to_doubt & evidence.doubtful[index] if evidence.doubtful else open_to_doubt
            consistency[index] = np.where(doubtful, sure, evidence.consistency[index])
        factor = np.where(open_to_doubt, factor, 1).transpose(1, 2, 0)
        hole_fill = np.ascontiguousarray(evidence.hole_fill * factor)
        return replace(registered, consistency=consistency, hole_fill=hole_fill)

    def merge(self, registered: RegisteredBracket) -> Merged:
        return merge_strips(registered, mle.combine, with_weights=not registered.noise.codes)

    def refine(self, registered: RegisteredBracket, merged: Merged) -> Merged:
        """The merged picture, tile by tile through the second network.

        A bracket whose response was measured stays as it is: the network knows the noise of sensors, and what is left
        in photos with a camera's own curve is what its denoising and compression left.
        """
        if registered.noise.codes:
            return merged
        height, width = registered.shape
        result = np.empty_like(merged.pixels)

        def work(corner: tuple[int, int]) -> None:
            top, left = corner
            rows = slice(max(top - MARGIN, 0), min(top + TILE + MARGIN, height))
            columns = slice(max(left - MARGIN, 0), min(left + TILE + MARGIN, width))
            refined = self._networks.refine(seen(registered, merged, rows, columns)[None])
            inner = refined[0, :, top - rows.start :, left - columns.start :][:, :TILE, :TILE]
            result[top : top + TILE, left : left + TILE] = inner.transpose(1, 2, 0)
            advance()

        corners = [(top, left) for top in range(0, height, TILE) for left in range(0, width, TILE)]
        with progress.task("refining", len(corners)) as advance:
            in_threads(work, corners)
        return replace(merged, pixels=result)

    @property
    def _networks(self) -> Networks:
        return self.networks or shipped(self.name)


def shipped(name: str) -> Networks:
    """The networks of the package; each file is read when it is first needed."""
    return Networks(
        lambda frames, shared: _session(name, "decide").run(None, {"frames": frames, "shared": shared}),
        # one tile a core costs less than one tile on all
        lambda merged: _session(name, "refine", threads=1).run(None, {"merged": merged})[0],
    )


def seen(registered: RegisteredBracket, merged: Merged, rows: slice, columns: slice) -> np.ndarray:
    """(8, h, w) float32: what the refining network sees: radiance (3), weight, coverage, the reference's light (3)."""
    reference = registered.bracket.reference
    image = registered.bracket.frames[reference].image
    light = decode(image.with_pixels(image.pixels[rows, columns]), registered.responses[reference])
    planes = np.empty((8, *light.shape[:2]), np.float32)
    planes[:3] = merged.pixels[rows, columns].transpose(2, 0, 1)
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
    row = MERGERS[name]
    assert isinstance(row, LearnedRow)
    if hashlib.sha256(content).hexdigest() != dict(row.sha256)[part]:
        raise FileError(str(file), "is damaged (its SHA-256 differs)", "install openhdr again")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = part == "refine"  # it keeps what was needed, and only tiles are small
    options.intra_op_num_threads = threads or cores()
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


TRUSTNET, TRUSTNET_TINY = TrustNet("trustnet"), TrustNet("trustnet-tiny")
