"""Build the documentation as a site: `make site` writes it into site/ and fails on a dead link.

Pages of the repository beside docs/ become pages of the site; a link to source code becomes the file's name.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ("CHANGELOG.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "benchmarks/log.md")
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def prepared(text: str, page: Path, place: Path) -> str:
    """A page with its links as the site needs them. page: in the repository; place: in the site's docs."""

    def fitting(found: re.Match[str]) -> str:
        words, target, anchor = found[1], found[2], found[3] or ""
        if urlsplit(target).scheme:
            return found[0]
        file = (page.parent / target).resolve()
        inside = ROOT / "docs"
        name = file.relative_to(ROOT).as_posix()
        if name in PROJECT:
            goal = Path("project", file.name)
        elif file.is_relative_to(inside) and file.is_file():
            goal = file.relative_to(inside)
        else:
            return words if words.startswith("`") else f"{words} (`{name}`)"
        up = "../" * (len(place.parts) - 1)
        return f"[{words}]({up}{goal.as_posix()}{anchor})"

    return LINK.sub(fitting, text)


def prepare(folder: Path) -> None:
    """The pages and the configuration, in a folder of their own."""
    shutil.copytree(ROOT / "docs", folder / "docs")
    pages = {path: path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    pages |= {ROOT / name: Path("project", Path(name).name) for name in PROJECT}
    for page, place in pages.items():
        target = folder / "docs" / place
        target.parent.mkdir(exist_ok=True)
        target.write_text(prepared(page.read_text(), page, place))
    shutil.copy(ROOT / "zensical.toml", folder)


class Links(HTMLParser):
    """Addresses that a page points to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src") and value]


def dead_links(site: Path) -> list[str]:
    """Links of the pages to files that are not there."""
    dead = []
    for page in site.rglob("*.html"):
        if page.name == "404.html" or page.parent.name == "benchmark":
            continue  # the report is a page of its own; 404 is shown anywhere
        reader = Links()
        reader.feed(page.read_text())
        for link in reader.found:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or not parts.path:
                continue
            file = (page.parent / unquote(parts.path)).resolve()
            if not (file.is_file() or (file / "index.html").is_file()):
                dead.append(f"{page.relative_to(site)}: {link}")
    return dead


def main() -> None:
    site = ROOT / "site"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        subprocess.run([sys.executable, "-m", "zensical", "build", "--strict"], cwd=folder, check=True)
        shutil.rmtree(site, ignore_errors=True)
        shutil.move(folder / "site", site)
    dead = dead_links(site)
    if dead:
        sys.exit("dead links:\n" + "\n".join(dead))
    print(f"{len(list(site.rglob('*.html')))} pages in {site}, no dead link")


if __name__ == "__main__":
    main()
