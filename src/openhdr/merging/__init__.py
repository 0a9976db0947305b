"""Frames into light: the mergers, one row each, and the steps that they share.

registered                     frames as codes, and how they become light in the reference's geometry
measured                       the camera's response, recovered from them
ghosts, matching               which pixels show something else; frames brought onto the reference's tones
composite, hole_fill           what frames told so far, with its noise and bounds; what may lie where none measured
merger                         what a merge method is
mle, debevec, robertson        classical: a weighted mean of what the frames measured
mertens                        exposure fusion: a picture for display, not light
trustnet/                      the default: `mle` with two small networks, and what these see
strips                         a formula over all strips of a picture, and what no frame saw
mosaics                        camera RAW: the same, of sensor values
retouch                        what a user painted
masks                          pictures of what was left out and how far frames moved

A row's target is a `merger.Merger`. Three-frame networks become mergers in `openhdr.pipeline.network_merger`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from openhdr.core.table import Row, Table


@dataclass(frozen=True)
class MergerRow(Row):
    """output: `radiance` (scene-linear, needs exposures) or `display` (a picture to look at)."""

    output: Literal["radiance", "display"] = "radiance"


@dataclass(frozen=True)
class LearnedRow(MergerRow):
    """A merger with networks of its own, which run without PyTorch; its row in `openhdr.models.MODELS` has the size.

    sha256: of its files trustnet/weights/NAME-PART.onnx, by PART.
    """

    sha256: tuple[tuple[str, str], ...] = ()


MERGERS: Table[MergerRow] = Table(
    "merge method",
    MergerRow("mle", "Maximum likelihood under photon and read noise.", "openhdr.merging.mle:MERGER"),
    MergerRow("debevec", "Debevec & Malik 1997: mean of log radiance.", "openhdr.merging.debevec:MERGER"),
    MergerRow("robertson", "Robertson et al. 2003: Gaussian weights.", "openhdr.merging.robertson:MERGER"),
    MergerRow(
        "mertens",
        "Mertens et al. 2007: exposure fusion for display.",
        "openhdr.merging.mertens:MERGER",
        output="display",
    ),
    LearnedRow(
        "trustnet",
        "Maximum likelihood; a small network corrects ghost masks and takes out noise.",
        "openhdr.merging.trustnet.merger:TRUSTNET",
        sha256=(
            ("decide", "27bd4f0d722d86123738085397327d4af8fdbebda050b437077f639c5557367b"),
            ("refine", "f70b079ed8365735086a66bf8aa00c77aa0268fb339b50fb09149a07a6e0272a"),
        ),
    ),
    LearnedRow(
        "trustnet-tiny",
        "The same with a smaller first network.",
        "openhdr.merging.trustnet.merger:TRUSTNET_TINY",
        sha256=(
            ("decide", "e8c4251d0f7884109ce971d9e04e3367db1350f46fc36b762712816c5b7b6034"),
            ("refine", "de9b4f76ce9e3246a89a5a0817f13bb4ea7179f6fd3f9fb55bfb36ab53ddb0ac"),
        ),
    ),
)

DEFAULT = "trustnet"

CLASSICAL = tuple(
    row.name for row in MERGERS.values() if row.output == "radiance" and not isinstance(row, LearnedRow)
)
"""Mergers that give light without a look at what moved: predicted exposures can be merged by them, too."""
