"""Brackets that were registered and compared, as TrustNet sees them: what its networks train on.

Registering and comparing a bracket takes seconds and does not depend on the networks, so it is done once. A bracket
is kept as one array of half-precision planes (H, W, C), from which squares are cut without reading the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from openhdr.alignment import ALIGNERS, DEFAULT
from openhdr.camera.response import ASSUMED_RESPONSE, Response, parse
from openhdr.core.image import Bracket, Frame, Image
from openhdr.data.files import array_bytes
from openhdr.data.sample import Sample
from openhdr.data.shards import Pieces
from openhdr.merging import mle
from openhdr.merging.ghosts import CompareOptions, Comparison, compare
from openhdr.merging.measured import measure_response
from openhdr.merging.registered import RegisteredBracket
from openhdr.merging.trustnet.features import FRAME_CHANNELS, SHARED_CHANNELS, Features, seen_by_all
from openhdr.merging.trustnet.refinement import grain_of
from openhdr.simulation.picture_style import PREFIX as STYLE
from openhdr.simulation.sensor import decode_curve

_HALF_TOP = 60000.0  # a little below what a half can hold
PLANES, FACTS = "planes.npy", "json"


@dataclass(frozen=True)
class ComparedBracket:
    """A bracket of N frames, shortest first, in the reference's geometry and on its scale.

    planes: (H, W, C) float16 or float32: of every frame beside the reference the 13 features, the 11 shared ones
        (`openhdr.merging.trustnet.features`), of every frame light (3), saturation weight, share inside the frame and
        log2 of the variance, then the hole fill (3) and the truth (3).
    ev: (N,) stops relative to the reference, matched. top: (3,) light at which the reference clips.
    grain: of the reference, see `openhdr.merging.trustnet.refinement.grain_of`.
    """

    name: str
    planes: np.ndarray
    ev: tuple[float, ...]
    reference: int
    top: tuple[float, float, float]
    grain: float = 1.0

    @property
    def shape(self) -> tuple[int, int]:
        return self.planes.shape[:2]

    def changed(self, change: Callable[[np.ndarray], np.ndarray]) -> ComparedBracket:
        """The bracket with all its planes cut or turned alike."""
        return replace(self, planes=change(self.planes))

    def halved(self) -> ComparedBracket:
        """At half the size, by area averaging."""
        height, width = (length // 2 for length in self.shape)
        planes = self.planes[: 2 * height, : 2 * width].astype(np.float32)
        return replace(self, planes=planes.reshape(height, 2, width, 2, -1).mean((1, 3)))

    def parts(self) -> dict[str, np.ndarray]:
        """float32: frames (K, 13, H, W), shared (11, H, W), light (N, 3, H, W), saturation_weight, inside,
        variance (N, H, W), hole_fill, truth (3, H, W).
        """
        count = len(self.ev)
        planes = np.ascontiguousarray(self.planes.transpose(2, 0, 1), np.float32)
        lengths = _lengths(count)
        ends = np.cumsum(list(lengths.values()))
        found = dict(zip(lengths, np.split(planes, ends[:-1]), strict=True))
        found["frames"] = found["frames"].reshape(count - 1, FRAME_CHANNELS, *self.shape)
        found["light"] = found["light"].reshape(count, 3, *self.shape)
        found["variance"] = np.exp2(found["variance"])
        return found


def _lengths(count: int) -> dict[str, int]:
    """How many planes of each kind a bracket of so many frames has, in their order."""
    frames = {"light": 3 * count, "saturation_weight": count, "inside": count, "variance": count}
    features = {"frames": (count - 1) * FRAME_CHANNELS, "shared": SHARED_CHANNELS}
    return {**features, **frames, "hole_fill": 3, "truth": 3}


def planes_of(count: int) -> int:
    """How many planes a bracket of so many frames has."""
    return sum(_lengths(count).values())


def compare_sample(sample: Sample, aligner: str = DEFAULT) -> Comparison:
    """Register and compare a sample's frames as `openhdr merge` does. aligner: a row of `openhdr.alignment`."""
    align = ALIGNERS[aligner].load()
    assert sample.ev is not None  # simulated samples state it
    frames = tuple(
        Frame(Image(codes, "srgb"), float(ev), str(number))
        for number, (codes, ev) in enumerate(zip(sample.frames, sample.ev, strict=True))
    )
    bracket = Bracket(frames, sample.reference)
    count = len(frames)
    if not sample.response.startswith(STYLE):
        # left to tone matching, as in a merge that finds no curve better than sRGB
        response = parse(ASSUMED_RESPONSE)
        return compare(RegisteredBracket(bracket, [response] * count, align(bracket, response)))
    # As in a merge, a picture style comes with the error of its recovery. The curve itself is the true one: what a
    # recovery gets wrong neither consistency nor refinement can mend.
    response = Response(sample.response, decode_curve(sample.response))
    registrations = align(bracket, response)
    registered = RegisteredBracket(bracket, [response] * count, registrations)
    measured = measure_response(registered, insist=True).response
    response = replace(response, error=measured.error if measured else 1.0)
    registered = replace(registered, responses=[response] * count, noise=response.noise)
    return compare(registered, CompareOptions(match=False))


def compared_bracket(comparison: Comparison, truth: np.ndarray, name: str = "") -> ComparedBracket:
    """What the networks and the merge between them need, float32.

    The frames must be at working size, and compared with ghosts in mind.
    """
    evidence = comparison.evidence
    assert evidence is not None
    strip = evidence.small.whole()
    height, width = evidence.composite.light.shape[:2]
    features = Features(evidence, seen_by_all(evidence)[0])
    consistent = [a * b for a, b in zip(strip.consistency, evidence.consistency, strict=True)]
    guide = mle.guide_of(replace(strip, consistency=consistent))
    order = range(len(consistent))
    light = [strip.light[k] / np.float32(2.0 ** strip.ev[k]) for k in order]
    variance = [np.log2(mle.variance(guide, strip, k)) for k in order]
    stacks = [
        *(plane for frame in features.frames()[..., :height, :width] for plane in frame),
        *features.shared()[:, :height, :width],
        *(plane for one in light for plane in one.transpose(2, 0, 1)),
        *strip.saturation_weight,
        *strip.consistency,
        *variance,
        *evidence.hole_fill.transpose(2, 0, 1),
        *truth.transpose(2, 0, 1),
    ]
    planes = np.stack(stacks, axis=2).astype(np.float32)
    reference = strip.reference
    red, green, blue = strip.top[reference].tolist()
    grain = grain_of(strip.light[reference], strip.saturation_weight[reference])
    return ComparedBracket(name, planes, tuple(strip.ev.tolist()), reference, (red, green, blue), grain)


def pack(bracket: ComparedBracket) -> Pieces:
    """The bracket as members of a shard."""
    facts = {
        "name": bracket.name,
        "ev": bracket.ev,
        "reference": bracket.reference,
        "top": bracket.top,
        "grain": bracket.grain,
    }
    planes = np.clip(bracket.planes, -_HALF_TOP, _HALF_TOP).astype(np.float16)
    return {FACTS: json.dumps(facts).encode(), PLANES: array_bytes(planes)}


def unpack(facts: bytes, planes: np.ndarray) -> ComparedBracket:
    """The bracket of a shard's members; the planes may be mapped from the disk."""
    known = json.loads(facts)
    top, grain = tuple(known["top"]), known.get("grain", 1.0)  # brackets of earlier versions do not tell it
    return ComparedBracket(known["name"], planes, tuple(known["ev"]), known["reference"], top, grain)


def single_threaded() -> None:
    """Leave the cores to other processes."""
    cv2.setNumThreads(1)
