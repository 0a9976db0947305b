"""Photos, what belongs together, and what was made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from openhdr import io
from openhdr.camera.remembered import camera_of
from openhdr.serve import forms
from openhdr.tonemapping import DEFAULT as DEFAULT_OPERATOR


@dataclass(eq=False)
class Photo:
    """A photo. key: folder and name as the user knows them. own: uploaded, in a folder that this session removes.

    scratch: folder of its thumbnail and small copy. look: what the worker told of its pixels; None = not looked at yet.
    """

    id: str
    key: PurePosixPath
    path: Path
    scratch: Path
    own: bool
    info: io.ImageInfo | None = None
    problem: str = ""
    look: dict[str, Any] | None = None
    alone: bool = False

    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": self.id, "name": self.key.name, "folder": str(self.key.parent), "problem": self.problem,
            "looked": self.look is not None, **(self.look or {}),
        }  # fmt: skip
        if self.info is not None:
            exposure = self.info.exposure
            told |= {
                "width": self.info.width, "height": self.info.height, "format": self.info.format,
                "time_s": exposure.time_s if exposure else None, "iso": exposure.iso if exposure else None,
                "f_number": exposure.f_number if exposure else None, "notes": list(self.info.notes),
                "camera": camera_of(self.info.metadata),
            }  # fmt: skip
        return told


@dataclass(eq=False)
class Result:
    """Something made, on disk. made_of: options and strokes it was made with. layers: names that may be asked for."""

    id: str
    folder: Path
    draft: bool
    made_of: tuple[Any, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    layers: set[str] = field(default_factory=set)


@dataclass(eq=False)
class Picture:
    """A bracket, or a photo by itself, and what is made of it.

    command: merge, expand, or open (HDR light already). by_hand: put together by the user. strokes: see
    `merging.retouch`. tone: operator and options of the tone-mapped picture. then: called when the result is made, or
    cannot be, with whether it is.
    """

    id: str
    photos: list[Photo]
    command: str
    by_hand: bool = False
    why: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    strokes: list[dict[str, Any]] = field(default_factory=list)
    tone: tuple[str, dict[str, float]] = (DEFAULT_OPERATOR, {})
    draft: Result | None = None
    result: Result | None = None
    error: str = ""
    then: list[Callable[[bool], None]] = field(default_factory=list)

    @property
    def shown(self) -> Result | None:
        return self.result or self.draft

    @property
    def made_of(self) -> tuple[Any, ...]:
        """What a result depends on."""
        return self.command, dict(self.options), [dict(one) for one in self.strokes]

    @property
    def name(self) -> str:
        return forms.stem_of(self.photos[0].key.name)

    def all_options(self) -> dict[str, Any]:
        return self.options | ({"retouch": self.strokes} if self.strokes else {})

    def told(self) -> dict[str, Any]:
        shown = self.shown
        return {
            "id": self.id, "name": self.name, "photos": [one.id for one in self.photos], "command": self.command,
            "by_hand": self.by_hand, "why": self.why, "options": self.options, "strokes": self.strokes,
            "tone": {"operator": self.tone[0], "options": self.tone[1]}, "error": self.error,
            "result": None if shown is None else {
                "id": shown.id, "draft": shown.draft, "stale": shown.draft or shown.made_of != self.made_of,
                **shown.facts,
            },
        }  # fmt: skip

    def command_line(self, suffix: str, light: bool, delivery: Any) -> str:
        """The command line that writes the same file as the page. Raises RequestError."""
        given = forms.stored(suffix, delivery) if light else {}
        names = [one.key.name if one.own else str(one.path) for one in self.photos]
        output = self.name + suffix
        more = ["--like", f"{self.name}.json"] if self.strokes else []
        operator = forms.operator_text(*self.tone)
        custom = operator != DEFAULT_OPERATOR
        if light and self.command == "open":
            return forms.command_line("convert", names, output, given)
        if light:
            tones = ["--operator", operator] if custom and (suffix == ".jpg" or given.get("gain_map")) else []
            return forms.command_line(self.command, names, output, self.options | given, [*more, *tones])
        chosen = ["--operator", operator] if custom else []
        if self.command == "open":
            return forms.command_line("tonemap", names, output, {}, chosen)
        between = f"{self.name}.exr"
        first = forms.command_line(self.command, names, between, self.options, more)
        return first + " && " + forms.command_line("tonemap", [between], output, {}, chosen)
