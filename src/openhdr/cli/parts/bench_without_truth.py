"""`openhdr bench` of what has no known truth: real brackets, and tone mapping operators."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from openhdr.bench import PHOTO_CASES, PICTURE_CASES
from openhdr.cli.parts.bench_request import Request
from openhdr.cli.shared.terminal import echo_json, format_table
from openhdr.cli.shared.workers import give_up, pieces_by
from openhdr.core.errors import RequestError, unknown_name
from openhdr.core.files import write_whole
from openhdr.tonemapping import parse as parse_operator

if TYPE_CHECKING:
    from openhdr.bench.without_truth.brackets import PhotoSet
    from openhdr.bench.without_truth.page import Make, PhotoPage


def photos_without_truth(request: Request) -> None:
    """A case of real photos, which have no truth."""
    from openhdr.bench.methods.settings import parse_setting
    from openhdr.bench.without_truth.brackets import Showing, Size, photo_sets

    row = PHOTO_CASES[request.case]
    if request.data is None:
        raise RequestError(f"{request.case} needs photos: `data`, a folder that holds a folder a bracket")
    for name, given in (("metrics", request.metrics), ("again", request.again)):
        if given:
            raise RequestError(f"`{name}` is of cases with known truth; leave it out for {request.case}")
    if request.operator:
        parse_operator(request.operator)
    settings = [*map(parse_setting, request.methods or row.methods), *request.program_settings()]
    if len({setting.name for setting in settings}) < len(settings):
        raise RequestError("two methods have one name; name each once")
    brackets = _chosen(photo_sets(request.data), request.scenes)
    _chosen(brackets, request.pictured)
    showing = Showing(
        Size.parse(request.size or row.size), request.pictured or None, request.compressed, request.operator
    )
    facts, page = row.load()(brackets, settings, showing, *_by_whom(request))
    _write_pages(page, request)
    if request.as_json:
        echo_json(facts)
    else:
        _print_photo_facts(facts, request)
    _name_failures({name: one["methods"] or {"": one} for name, one in facts["sets"].items()})


def compare_operators(request: Request) -> None:
    """Tone mapping operators on scenes."""
    from openhdr.bench.without_truth.tonemapping import Asked

    programs = tuple(request.program_settings())
    asked = Asked(request.data, request.scenes, request.methods, programs, request.compressed)
    facts, page = PICTURE_CASES[request.case].load()(asked, *_by_whom(request))
    _write_pages(page, request)
    if request.as_json:
        echo_json(facts)
    else:
        means = facts["means"].items()
        rows = [{"method": name} | {key: f"{value:.3f}" for key, value in one.items()} for name, one in means]
        click.echo(f"means over {len(facts['scenes'])} scenes\n{format_table(rows)}\n{request.written}")
    _name_failures(facts["scenes"])


def _by_whom(request: Request) -> tuple[Make, Callable[[dict[str, Any]], None]]:
    """Who works on brackets, and what keeps the results so far."""

    def keep(facts: dict[str, Any]) -> None:
        write_whole(request.folder / "results.json", json.dumps(facts, indent=1).encode())

    return pieces_by(request.by, request.folder, request.resume), keep


def _write_pages(page: PhotoPage, request: Request) -> None:
    page.write(request.page)
    if request.blind:
        page.write(request.folder / "blind.html", blind=True)


def _name_failures(found: dict[str, dict[str, Any]]) -> None:
    """Say which methods failed on which brackets, and exit with 2 if any did."""
    tried = [
        (f"{name} {method}".strip(), one)
        for name, methods in found.items()
        for method, one in methods.items()
    ]
    failed = [(name, one["error"]) for name, one in tried if "error" in one]
    give_up(failed, len(tried), "runs", "the others are done")


def _chosen(brackets: list[PhotoSet], names: tuple[str, ...]) -> list[PhotoSet]:
    """The brackets of these names, all where none is named."""
    found = {one.name: one for one in brackets}
    for name in names:
        if name not in found:
            raise unknown_name("bracket", name, found)
    return [found[name] for name in names] or brackets


def _print_photo_facts(facts: dict[str, Any], request: Request) -> None:
    """A table for each bracket, then the means, and where the files are."""
    if "means" in facts:
        for name, found in facts["sets"].items():
            if found["methods"]:
                click.echo(f"{name}: {len(found['merged'])} of {len(found['photos'])} photos merged")
                click.echo(format_table([_score_row(*item) for item in found["methods"].items()]) + "\n")
        click.echo("means; PSNR in dB, per channel / shared / one curve")
        click.echo(format_table([_score_row(*item) for item in facts["means"].items()]))
    click.echo(request.written)


def _score_row(method: str, scores: dict[str, Any]) -> dict[str, str]:
    """`24.53 / 24.26 / 19.61` for the held-out photos and for the whole bracket."""
    parts = (("held out", scores), ("whole bracket", scores.get("whole", {})))
    names = ("per_channel", "shared", "one_curve")
    return {"method": method} | {
        head: " / ".join("-" if part.get(name) is None else f"{float(part[name]):.2f}" for name in names)
        for head, part in parts
    }
