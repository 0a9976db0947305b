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

    sha256: of its files in trustnet/weights, by their names NETWORK-PART.onnx; two rows may share a file.
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
            ("trustnet-decide.onnx", "268b74d3696c99f1630323570d0e5210333d17e6b7cb47807532c433e8a46a48"),
            ("trustnet-refine.onnx", "d65c7d311f297eb05306378e7a0109b88157e122ba8dbb5162b96402b4f672f3"),
        ),
    ),
    LearnedRow(
        "trustnet-tiny",
        "The same with a smaller first network.",
        "openhdr.merging.trustnet.merger:TRUSTNET_TINY",
        sha256=(
            ("trustnet-tiny-decide.onnx", "288f282cb73ecaf8a559f70bcf0a6d659fbe702aba6f5f785dbafa7da84526ad"),
            ("trustnet-refine.onnx", "d65c7d311f297eb05306378e7a0109b88157e122ba8dbb5162b96402b4f672f3"),
        ),
    ),
)

DEFAULT = "trustnet"

CLASSICAL = tuple(
    row.name for row in MERGERS.values() if row.output == "radiance" and not isinstance(row, LearnedRow)
)
"""Mergers that give light without a look at what moved: predicted exposures can be merged by them, too."""
