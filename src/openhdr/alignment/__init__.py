"""Bring the frames of a bracket into the reference's geometry. One row an aligner.

An aligner is a function `(bracket, response) -> list[Registration]`, one registration a frame.
"""

from __future__ import annotations

from openhdr.core.table import Row, Table

ALIGNERS: Table[Row] = Table(
    "aligner",
    Row("none", "Leave the frames where they are (tripod).", "openhdr.alignment.none:align"),
    Row(
        "homography",
        "Rotation, translation and perspective of a hand-held camera.",
        "openhdr.alignment.homography:align",
    ),
    Row(
        "flow",
        "Homography, then a dense refinement for parallax and slow movement.",
        "openhdr.alignment.flow:align",
    ),
)

DEFAULT = "homography"
