"""Frames into light: the mergers, one row each, and the steps that they share.

mle, debevec, robertson        classical: a weighted mean of what the frames measured
mertens                        exposure fusion: a picture for display, not light
trustnet, trustnet_features    the default: `mle` with two small networks (weights/), and what they see
samples, strips                what a merger sees of a strip; all strips in turn, and what no frame saw
ghosts, matching               which pixels show something else; frames brought onto the reference's tones
registered, masks              frames for the networks of `models`; pictures of what was trusted

What a merger is called with is `takes`: `samples`, one strip -> (radiance, weight); `stack`, the whole bracket ->
(H, W, 3); or `comparison`, the whole bracket and what was found out about it -> `trustnet.MergedStack`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from openhdr.core.table import Row, Table


@dataclass(frozen=True)
class MergerRow(Row):
    """output: `radiance` (scene-linear, needs exposures) or `display` (a picture to look at)."""

    output: Literal["radiance", "display"] = "radiance"
    takes: Literal["samples", "stack", "comparison"] = "samples"


@dataclass(frozen=True)
class LearnedRow(MergerRow):
    """A merger with networks of its own, which run without PyTorch.

    params: numbers that were learned. gmacs: 1e9 multiply-adds for three frames of 1060x1900. sha256: of its files
    weights/NAME-PART.onnx, by PART.
    """

    takes: Literal["samples", "stack", "comparison"] = "comparison"
    params: int = 0
    gmacs: float = 0.0
    sha256: tuple[tuple[str, str], ...] = ()


MERGERS: Table[MergerRow] = Table(
    "merge method",
    MergerRow("mle", "Maximum likelihood under photon and read noise.", "openhdr.merging.mle:combine"),
    MergerRow("debevec", "Debevec & Malik 1997: mean of log radiance.", "openhdr.merging.debevec:combine"),
    MergerRow("robertson", "Robertson et al. 2003: Gaussian weights.", "openhdr.merging.robertson:combine"),
    MergerRow(
        "mertens",
        "Mertens et al. 2007: exposure fusion for display.",
        "openhdr.merging.mertens:fuse",
        output="display",
        takes="stack",
    ),
    LearnedRow(
        "trustnet",
        "Maximum likelihood; a small network decides what to trust and takes out noise.",
        "openhdr.merging.trustnet:merge",
        params=183_692,
        gmacs=18.67,
        sha256=(
            ("decide", "578618b24308ee487c636c17dd83b43697517ef54eacb745a186208dccb52cbf"),
            ("refine", "dc463a860cce1a1f7f0d823cb29156f48cfbb674204c4d4026fb08830c6def80"),
        ),
    ),
    LearnedRow(
        "trustnet-tiny",
        "The same with a quarter of the arithmetic.",
        "openhdr.merging.trustnet:merge_tiny",
        params=34_216,
        gmacs=4.67,
        sha256=(
            ("decide", "108cb50c278aab8c9c8aed7b3aa7e363baeb802176b0e51a5e592073adba52c6"),
            ("refine", "7c085cbcfd72152a20216971061eaa1786d43128801b768d707429fc45a77f36"),
        ),
    ),
)

DEFAULT = "trustnet"

CLASSICAL = tuple(row.name for row in MERGERS.values() if row.takes == "samples")
"""Mergers that any frames of one geometry will do for: they compare nothing."""
