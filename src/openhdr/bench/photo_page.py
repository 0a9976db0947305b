"""The page of brackets without truth: images side by side, and scores where a case has them; see assets/photos.js."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from openhdr import __version__
from openhdr.bench.page import PictureStore, write_page
from openhdr.bench.pictures import PictureOptions, encode_codes, encode_light, encode_map

FULL_DIFFERENCE = 25.0  # 8-bit codes: the brightest colour of a map of differences


@dataclass
class PhotoPage:
    """A page while it is made.

    sets: {"name", "text", "values": {method: {score: value}}, "views": what `Comparison.show` in compare.js takes},
        "judged": how many of the first view's pictures are methods'.
    scores: {"key", "head", "group"} of each column, and "digits" unless 2; none for a case without scores.
    means: {method: {score: value}} over all sets, None for a case without scores. unit: of the scores, in words.
    """

    title: str
    lead: str
    options: PictureOptions
    scores: tuple[dict[str, Any], ...] = ()
    store: PictureStore = field(default_factory=PictureStore)
    sets: list[dict[str, Any]] = field(default_factory=list)
    means: dict[str, Any] | None = None
    unit: str = "PSNR in dB"

    def light(self, name: str, light: np.ndarray, top: float) -> dict[str, Any]:
        """An image of (H, W, 3) light. top: the level where the shortest photo clips."""
        return {"name": name, "light": self.store.add_light(encode_light(light, top, self.options))}

    def codes(self, name: str, codes: np.ndarray, difference: np.ndarray | None = None) -> dict[str, Any]:
        """An image of (H, W, 3) uint8 sRGB codes; difference: (H, W) in codes, shown as a map."""
        picture: dict[str, Any] = {
            "name": name,
            "light": self.store.add_light(encode_codes(codes, self.options)),
        }
        if difference is not None:
            picture["error"] = self.store.add(encode_map(difference, FULL_DIFFERENCE, self.options))
        return picture

    def view(self, name: str, pictures: list[dict[str, Any]], top: float = 1.0) -> dict[str, Any]:
        """Images of one thing, to be compared. top: the brightest level that any of them holds."""
        return {"name": name, "top": top, "full_error": f"{FULL_DIFFERENCE:g} codes", "pictures": pictures}

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


def exposed_codes(picture: dict[str, Any], ev: float) -> dict[str, Any]:
    """An image of codes as light: the photo of an exposure `ev` stops longer than the reference."""
    white = 2.0**-ev
    return {**picture, "light": {**picture["light"], "white": (white, white)}}
