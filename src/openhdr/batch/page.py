"""What a batch came to: a summary for programs, `batch.json`, and a contact sheet to look at, `index.html`."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from openhdr.batch.job import THUMBNAILS, Job, Record
from openhdr.batch.plan import Item
from openhdr.batch.storage import Storage, is_url
from openhdr.core.version import __version__

SUMMARY, PAGE = "batch.json", "index.html"
STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; background: #181818; color: #ddd }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); gap: 1rem }
figure { margin: 0 } img { width: 100%; aspect-ratio: 3/2; object-fit: contain; background: #000 }
figcaption { overflow-wrap: anywhere } a { color: #8cf } .failed { color: #f88 }
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One bracket of the summary. status: `skipped` = it was done already. record: None before it was tried."""

    job: Job
    status: Literal["waiting", "done", "failed", "skipped"] = "waiting"
    record: Record | None = None

    def facts(self) -> dict[str, Any]:
        record = self.record
        made = list(record.outputs) if record else []
        return {
            "name": self.job.name,
            "photos": [located(self.job.folder, photo) for photo in self.job.inputs],
            "outputs": [located(self.job.out, name) for name in made if name in self.job.outputs],
            "status": self.status,
            "error": (record.error or None) if record else None,
            "seconds": record.seconds if record else None,
            "notes": list(record.notes) if record else [],
        }


def located(root: str, name: str) -> str:
    """A file's whole path or URL."""
    return f"{root.rstrip('/')}/{name}" if is_url(root) else os.path.abspath(os.path.join(root, name))


def summary(
    entries: Sequence[Entry], left_out: Sequence[Item], unreadable: Sequence[str] = ()
) -> dict[str, Any]:
    """What `batch.json` holds. left_out: of the plan. unreadable: photos that could not be read, and why."""
    return {
        "openhdr": __version__,
        "brackets": [entry.facts() for entry in entries],
        "left_out": [{"photos": list(item.photos), "why": item.skip} for item in left_out],
        "unreadable": list(unreadable),
    }


def write_summary(out: Storage, facts: dict[str, Any]) -> None:
    out.sweep(SUMMARY)
    out.write(SUMMARY, (json.dumps(facts, indent=1) + "\n").encode("utf-8", "backslashreplace"))


def write_page(out: Storage, entries: Sequence[Entry], left_out: Sequence[Item]) -> None:
    """Write the contact sheet: a thumbnail a bracket that leads to its picture, failures first."""
    order = sorted(entries, key=lambda entry: entry.status != "failed")
    counts = {status: sum(entry.status == status for entry in entries) for status in ("failed", "waiting")}
    made = sum(entry.status in ("done", "skipped") for entry in entries)
    head = f"{made} of {len(entries)} brackets" + (f", {counts['failed']} failed" if counts["failed"] else "")
    alone = f"<p>{len(left_out)} left out, see {SUMMARY}.</p>" if left_out else ""
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>openhdr: {head}</title><style>{STYLE}</style>'
        f"<h1>{head}</h1>{alone}<main>{''.join(map(_figure, order))}</main></html>\n"
    )
    out.sweep(PAGE)
    out.write(PAGE, text.encode("utf-8", "backslashreplace"))


def _figure(entry: Entry) -> str:
    job, caption = entry.job, html.escape(entry.job.name)
    if entry.status in ("failed", "waiting") or entry.record is None:
        error = html.escape(entry.record.error if entry.record else "not made yet")
        return f'<figure><figcaption class="{entry.status}">{caption}: {error}</figcaption></figure>'
    links = " ".join(
        f'<a href="{quote(name)}">{html.escape(name.rpartition(".")[2])}</a>' for name in job.outputs
    )
    thumbnail = quote(f"{THUMBNAILS}/{job.name}.jpg")
    shown = (
        f'<a href="{quote(job.picture)}"><img loading="lazy" src="{thumbnail}" alt="{caption}"></a>'
        if job.picture
        else ""
    )
    return f"<figure>{shown}<figcaption>{caption}<br>{len(job.inputs)} photos, {links}</figcaption></figure>"
