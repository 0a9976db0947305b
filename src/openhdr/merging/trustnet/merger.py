"""The steps of a merge by TrustNet, band by band and tile by tile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import onnxruntime

from openhdr.core import progress
from openhdr.core.network_file import packaged_network
from openhdr.core.threads import cores, in_threads
from openhdr.merging import MERGERS, LearnedRow, mle
from openhdr.merging.ghosts import Comparison
from openhdr.merging.merger import Merger
from openhdr.merging.registered import RegisteredBracket, widened
from openhdr.merging.strips import Merged, merge_strips
from openhdr.merging.trustnet.features import Features, seen_by_all
from openhdr.merging.trustnet.refinement import Seen, grain, moved, seen

# px of the full picture, divisible by `STEP`; a refined value depends on no more than the margin around it
TILE_ROWS, TILE_COLUMNS, MARGIN = 512, 1024, 56
BAND_STEP, BAND_MARGIN = 16, 64  # px of the working picture; what lies beyond the margin hardly counts
# of the working picture that are decided at a time: memory that was never touched costs more than their margins
BAND_PIXELS = 350_000
GROUP = 4  # frames that are decided on together, at most; more tell it no more, and take memory
UNSURE = 0.01  # a sigmoid never says 0 or 1; so near them it means them


@dataclass(frozen=True)
class Networks:
    """Both networks, on float32 arrays; called from several threads at a time.

    decide: frames (K, 13, h, w), shared (11, h, w) -> consistency (K, h, w), factor of the hole fill (3, h, w);
        h and w are multiples of 16.
    refine: planes (1, 8, h, w), see `refinement.Seen` -> change (1, 12, h / 2, w / 2); h and w are
        multiples of 8.
    """

    decide: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    refine: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class TrustNet(Merger):
    """name: of the row, for the shipped networks. networks: take these instead."""

    compares_at = 1.0  # its network mends what a coarser look misses

    name: str
    networks: Networks | None = None

    def decide(self, comparison: Comparison) -> RegisteredBracket:
        """The registered bracket with the network's consistency and hole fill.

        Without a search for ghosts nothing is decided.
        """
        evidence, registered = comparison.evidence, comparison.registered
        if evidence is None:
            return registered
        small, doubtful = evidence.small, evidence.doubtful
        height, width = small.shape
        asked = [
            index
            for index in range(len(evidence.scales))
            if index != small.bracket.reference and (not doubtful or doubtful[index].any())
        ]
        consistency = [one.copy() for one in evidence.consistency]
        hole_fill = evidence.hole_fill.copy()

        level, clipped = seen_by_all(evidence)
        # each group goes from long to short exposures, whatever the order in which photos were given
        asked.sort(key=lambda index: -small.bracket.ev[index])
        number = -(-len(asked) // GROUP)
        groups = [asked[start::number] for start in range(number)]
        count = -(-height * width // BAND_PIXELS)
        step = -(-height // (count * BAND_STEP)) * BAND_STEP
        bands = [slice(top, min(top + step, height)) for top in range(0, height, step)]
        with progress.task("deciding what moved", len(bands)) as advance:
            for rows in bands:
                wide, inner = widened(rows, BAND_MARGIN, height)
                # where every frame clips there is nothing to decide, and a pattern in a white sky would be seen
                open_to_doubt = ~clipped[rows]
                features = Features(evidence, level, wide)
                shared = features.shared()
                for group in groups:
                    found, factor = self._networks.decide(features.frames(group), shared)
                    for index, one in zip(group, found[:, inner, :width], strict=True):
                        sure = np.clip((one - UNSURE) / (1 - 2 * UNSURE), 0, 1)
                        asked_here = open_to_doubt & (doubtful[index][rows] if doubtful else True)
                        np.copyto(consistency[index][rows], sure, where=asked_here)
                    factor = np.where(open_to_doubt, factor[:, inner, :width], 1)
                    hole_fill[rows] *= factor.transpose(1, 2, 0) ** np.float32(1 / len(groups))
                advance()
        return replace(registered, consistency=list(consistency), hole_fill=hole_fill)

    def merge(self, registered: RegisteredBracket) -> Merged:
        return merge_strips(registered, mle.combine, knowing=not registered.noise.codes)

    def refine(self, registered: RegisteredBracket, merged: Merged) -> Merged:
        """The merged picture, tile by tile through the second network.

        A bracket whose response was measured stays as it is: the network knows the noise of sensors, and what is left
        in photos with a camera's own curve is what its denoising and compression left.
        """
        known = merged.known
        if known is None:
            return merged
        height, width = registered.shape
        corners = [
            (top, left) for top in range(0, height, TILE_ROWS) for left in range(0, width, TILE_COLUMNS)
        ]
        look = partial(seen, registered, known, grain=grain(registered))
        above = merged.pixels[:0]  # rows over a row of tiles as they were before they were refined
        with progress.task("refining", len(corners)) as advance:
            for top in range(0, height, TILE_ROWS):
                above = self._refine_rows(look, merged.pixels, top, above, advance)
        return merged

    def _refine_rows(
        self,
        look: Callable[[np.ndarray, slice, slice], Seen],
        pixels: np.ndarray,
        top: int,
        above: np.ndarray,
        advance: progress.Advance,
    ) -> np.ndarray:
        """Refine a row of tiles in place -> the rows over the next one, as they were."""
        height, width = pixels.shape[:2]
        rows = slice(top, min(top + TILE_ROWS, height))
        wide, inner = widened(rows, MARGIN, height)
        light = np.concatenate((above, pixels[top : wide.stop]))

        def work(left: int) -> None:
            columns, own = widened(slice(left, min(left + TILE_COLUMNS, width)), MARGIN, width)
            piece = light[:, columns]
            shown = look(piece, wide, columns)
            change = self._networks.refine(shown.planes[None])[0]
            cells = [slice(one.start // 2, -(-one.stop // 2)) for one in (inner, own)]
            pixels[rows, left : left + TILE_COLUMNS] = moved(
                piece[inner, own], shown.cut(inner, own), change[:, *cells]
            )
            advance()

        in_threads(work, range(0, width, TILE_COLUMNS))
        return light[inner.stop - MARGIN : inner.stop]

    @property
    def _networks(self) -> Networks:
        return self.networks or shipped(self.name)


def shipped(name: str) -> Networks:
    """The networks of the package; each file is read when it is first needed."""
    # memory, after every run: only tiles are so small that it may stay for the next
    giving_back = onnxruntime.RunOptions()
    giving_back.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def decide(frames: np.ndarray, shared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = _session(name, "decide").run(None, {"frames": frames, "shared": shared}, giving_back)
        return found[0], found[1]

    def refine(seen: np.ndarray) -> np.ndarray:
        changed: np.ndarray = _session(name, "refine").run(None, {"seen": seen})[0]
        return changed

    return Networks(decide, refine)


def _session(name: str, part: str) -> onnxruntime.InferenceSession:
    """A network of the package. part: what the name of its file ends with."""
    row = MERGERS[name]
    assert isinstance(row, LearnedRow)
    file_name, sha256 = next(one for one in row.sha256 if one[0].endswith(f"-{part}.onnx"))
    # a tile a core costs less than each on all cores; of bands, which take much memory, there is one at a time
    threads = 1 if part == "refine" else cores()
    return packaged_network("openhdr.merging.trustnet", f"weights/{file_name}", sha256, threads)


TRUSTNET, TRUSTNET_TINY = TrustNet("trustnet"), TrustNet("trustnet-tiny")
