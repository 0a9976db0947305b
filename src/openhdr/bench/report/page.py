"""One self-contained HTML file: own style and script, facts as JSON, images as data URLs."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from openhdr.core.files import whole_file
from openhdr.core.version import __version__


@dataclass
class PictureStore:
    """Images of a page, each in an element of its own, so that the page decodes only what is looked at.

    ids: of their elements, by their data URLs.
    """

    ids: dict[str, str] = field(default_factory=dict)

    def add(self, url: str) -> str:
        """Keep a data URL; returns the id of its element."""
        return self.ids.setdefault(url, f"picture-{len(self.ids)}")

    def add_light(self, light: dict[str, Any]) -> dict[str, Any]:
        """What `pictures.encode_light` made, with ids in place of its data URLs."""
        return {**light, "layers": [self.add(url) for url in light["layers"]]}


def write_page(path: Path, name: str, title: str, facts: dict[str, Any], pictures: PictureStore) -> None:
    """Write the page `assets/NAME.html` with compare.js and NAME.js, which reads `facts`."""
    scripts: Sequence[str] = (asset("compare.js"), asset(f"{name}.js").replace('"use strict";\n', "", 1))
    elements = (f'<script type="text/plain" id="{name}">{url}</script>' for url, name in pictures.ids.items())
    parts = {
        "version": __version__,
        "title": html.escape(title),
        "style": asset("style.css"),
        "body": asset(f"{name}.html"),
        "facts": embedded_json(facts),
        "pictures": "\n".join(elements),
        "script": "\n".join(scripts),
    }
    with whole_file(path) as temporary:
        temporary.write_text(filled(asset("page.html"), parts), encoding="utf-8")


def filled(template: str, parts: dict[str, str]) -> str:
    """The template with each `{{name}}` replaced once, in the order of `parts`, and nothing within a part."""
    out = []
    for name, text in parts.items():
        before, _, template = template.partition("{{" + name + "}}")
        out += [before, text]
    return "".join([*out, template])


def asset(name: str) -> str:
    """The text of a file of the page."""
    return (resources.files("openhdr.bench.report") / "assets" / name).read_text(encoding="utf-8")


def embedded_json(facts: dict[str, Any]) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(facts, allow_nan=False, ensure_ascii=False).replace("<", "\\u003c")
