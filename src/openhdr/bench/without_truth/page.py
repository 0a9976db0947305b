"""The page of brackets without truth: images side by side, and scores where a case has them (report/assets/photos.js).

A bracket is a piece of work of its own, for any process. Its answer is plain values, see `answer_of`. Before each
method it tells {"step": name}, after the last {"step": None}; a method that ended the process is left out of a second
call, with `lost`: {name: why}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from openhdr import __version__
from openhdr.bench.report.page import PictureStore, write_page
from openhdr.bench.report.pictures import PictureOptions, encode_codes, encode_light, encode_map
from openhdr.core.config import plain

FULL_DIFFERENCE = 25.0  # 8-bit codes: the brightest colour of a map of differences

Answer = dict[str, Any]
Tell = Callable[[dict[str, Any]], None]
Make = Callable[[str, dict[str, dict[str, Any]]], AbstractContextManager[Iterator[tuple[str, Answer]]]]
"""Has a function (`package.module:name`) called with arguments for every name; gives names and answers, in any order.

The function is given `lost` and `tell` besides.

An answer without a result is {"error"}.
"""


@dataclass(frozen=True)
class ShownPicture:
    """An image of a view.

    light: what `pictures.encode_light` or `encode_codes` made. error: data URL of a map of differences; empty = none.
    """

    name: str
    light: Mapping[str, Any]
    error: str = ""

    @classmethod
    def of_light(cls, name: str, light: np.ndarray, top: float, options: PictureOptions) -> ShownPicture:
        """Of (H, W, 3) light. top: the level where the shortest photo clips."""
        return cls(name, encode_light(light, top, options))

    @classmethod
    def of_codes(
        cls, name: str, codes: np.ndarray, options: PictureOptions, difference: np.ndarray | None = None
    ) -> ShownPicture:
        """Of (H, W, 3) uint8 sRGB codes; difference: (H, W) in codes, shown as a map."""
        error = "" if difference is None else encode_map(difference, FULL_DIFFERENCE, options)
        return cls(name, encode_codes(codes, options), error)

    def exposed(self, ev: float) -> ShownPicture:
        """Codes as light: the photo of an exposure `ev` stops longer than the reference."""
        white = 2.0**-ev
        return replace(self, light={**self.light, "white": (white, white)})


@dataclass(frozen=True)
class View:
    """Images of one thing, to be compared: what `Comparison.show` in compare.js takes.

    top: the brightest level that any of them holds. full_error: what the brightest colour of a map of differences is.
    """

    name: str
    pictures: Sequence[ShownPicture]
    top: float = 1.0
    full_error: str = f"{FULL_DIFFERENCE:g} codes"


@dataclass(frozen=True)
class ShownSet:
    """What the page shows of a bracket.

    values: {method: {score: value}}. judged: how many of the first view's pictures are methods'.
    """

    text: str
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    views: Sequence[View] = ()
    judged: int = 0


def answer_of(facts: Mapping[str, Any], shown: ShownSet) -> Answer:
    """Plain values for another process. facts: what results.json tells of the bracket, with its "methods"."""
    answer: Answer = plain({"facts": facts, "set": shown})
    return answer


@dataclass
class PhotoPage:
    """A page while it is made.

    sets: of every bracket a `ShownSet` as plain values, with its "name".
    scores: {"key", "head", "group"} of each column, and "digits" unless 2; none for a case without scores.
    means: {method: {score: value}} over all sets, None for a case without scores. unit: of the scores, in words.
    """

    title: str
    lead: str
    scores: tuple[dict[str, Any], ...] = ()
    store: PictureStore = field(default_factory=PictureStore)
    sets: list[dict[str, Any]] = field(default_factory=list)
    means: dict[str, Any] | None = None
    unit: str = "PSNR in dB"

    def fill(
        self, names: Sequence[str], answers: Iterator[tuple[str, Answer]]
    ) -> Iterator[dict[str, Answer]]:
        """Take the answers up as they come; gives the facts so far by name, in the order of `names`."""
        found: dict[str, Answer] = {}
        for name, answer in answers:
            if "error" in answer:
                answer = answer_of({**answer, "methods": {}}, ShownSet(answer["error"]))
            found[name] = {**answer, "set": {**answer["set"], "name": name}}
            yield {one: found[one]["facts"] for one in names if one in found}
        for name in names:
            self.add(found[name]["set"])

    def add(self, shown: dict[str, Any]) -> None:
        """A set whose pictures hold their data URLs."""
        for view in shown["views"]:
            for picture in view["pictures"]:
                picture["light"] = self.store.add_light(picture["light"])
                if picture["error"]:
                    picture["error"] = self.store.add(picture["error"])
        self.sets.append(shown)

    def write(self, path: Path, blind: bool = False) -> None:
        """Write the page; it appears whole or not at all. blind: pairs without names instead, to be judged."""
        facts = {
            "title": self.title,
            "lead": self.lead,
            "scores": self.scores,
            "means": self.means,
            "unit": self.unit,
            "sets": self.sets,
            "made": f"openhdr {__version__}, {datetime.now(UTC).date().isoformat()}",
        }
        write_page(path, "blind" if blind else "photos", self.title, facts, self.store)
