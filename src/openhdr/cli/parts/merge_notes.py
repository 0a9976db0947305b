"""What `openhdr merge` says beside its table: once, and in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openhdr.cli.shared.terminal import echo_notes

if TYPE_CHECKING:
    from openhdr.core.image import Frame
    from openhdr.pipeline.bracket_to_hdr import MergeResult

LITTLE = 0.05  # share of the picture that a photo can be compared in
TOLD_EV = 0.25  # how far a photo has to be from its stated exposure to be spoken of


def notes_of_frames(frames: tuple[Frame, ...]) -> None:
    """Say what reading the photos changed; what holds for several is said once."""
    names: dict[str, list[str]] = {}
    for frame in frames:
        for note in frame.image.notes:
            names.setdefault(note, []).append(frame.name)
    for note, of in names.items():
        echo_notes(of[0] if len(of) == 1 else f"{of[0]} and {len(of) - 1} more", (note,))


def warnings_of(result: MergeResult) -> list[str]:
    """What a user should look at."""
    names = [frame.name for frame in result.bracket.frames]
    said = _mismatch(result)
    if len(result.used) < len(names):
        taken = ", ".join(names[index] for index in result.used)
        said.append(f"this network takes {len(result.used)} frames; of {len(names)} it was given {taken}")
    for name, place in zip(names, result.registrations, strict=True):
        if place.status == "rejected":
            why = "does not show the same scene"
            if place.overlap < LITTLE:
                why = f"is black or clipped but for {place.overlap:.1%}, in which it does not agree with the others,"
            said.append(f"{name} {why} and was left out")
    return said


def _mismatch(result: MergeResult) -> list[str]:
    """How far photos are from what their exposures say, in one sentence for all; their tones were matched."""
    from openhdr.bracketing.bracket import PIXELS

    frames = zip(result.bracket.frames, result.bracket.ev, result.matches, strict=True)
    off = [(frame.name, ev, match.mean) for frame, ev, match in frames if abs(match.mean) > TOLD_EV]
    if not off or result.exposures_from == PIXELS:
        return []
    largest = max(abs(mean) for *_, mean in off)
    matched = "matched to the reference's tones"
    if len(off) == 1:
        name, _, mean = off[0]
        how = "darker" if mean > 0 else "brighter"
        return [
            f"{name} is {largest:.2f} EV {how} than stated; it was {matched} (--no-match keeps it as it is)"
        ]
    text = (
        f"{len(off)} of {len(result.matches)} photos are up to {largest:.1f} EV off what their exposures say"
    )
    cause = _cause(result, {(ev < 0) == (mean > 0) for _, ev, mean in off})
    if not cause:
        return [f"{text}; they were {matched} (--no-match keeps them as they are)"]
    return [
        f"{cause}: {text}; they were {matched} (--no-match keeps them as they are; --response calibrate measures the "
        "curve, if it is that: compare, it is not always better)"
    ]


def _cause(result: MergeResult, steeper: set[bool]) -> str:
    """What would explain all: shorter photos too dark and longer too bright, or the reverse. The camera's curve and
    wrong steps do so alike; photos alone cannot tell one from the other.
    """
    if len(steeper) == 2 or result.bracket.frames[0].image.encoding == "linear":
        return ""
    name = result.response.name
    assumed = "sRGB" if name == "srgb" else f"the response {name}"
    curve, steps = ("steeper", "larger") if steeper == {True} else ("flatter", "smaller")
    return f"the camera's tone curve is {curve} than {assumed}, or the exposure steps are {steps} than stated"
