"""`openhdr batch`: everything on a card, or in an archive of cards, merged; started again, it goes on."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli import expand, merge
from openhdr.cli.shared.command import command, given_options, made, spelled
from openhdr.cli.shared.sidecar import options_of
from openhdr.cli.shared.terminal import echo_json, echo_notes, format_table, progress_bar
from openhdr.cli.shared.workers import WorkerOptions, done_by, give_up
from openhdr.core.errors import FileError, OpenHDRError, RequestError, printable, unknown_name
from openhdr.core.options import argument, nested, option
from openhdr.expansion import INVERSE_TONE_MAPPERS
from openhdr.merging import MERGERS
from openhdr.models import MODELS
from openhdr.models.inference.run_options import RunOptions
from openhdr.pipeline.pipeline_options import DeliveryOptions

if TYPE_CHECKING:
    from openhdr.batch.job import Job
    from openhdr.batch.page import Entry
    from openhdr.batch.plan import Item, Plan

SAVE_S, SAVE_SHARE = 5.0, 50.0  # between summaries while it works, at least; times what one takes
OWN = {  # options of merge and expand that a batch answers itself
    *("images", "photos", "output", "preview", "mask", "motion", "save_response", "keep_stack", "origin_map"),
    *("sidecar", "like", "as_json"),
    *("sdr", "retouch"),  # of one picture
}


@dataclass(frozen=True)
class Request:
    """The command's arguments and options; those of merge and expand stand beside them."""

    folders: tuple[str, ...] = argument("FOLDER...")
    output: str = option("Folder for the results, or a URL (s3://bucket/path).", flags=("-o", "--output"))
    plan: Path | None = option("What to make, as `openhdr info --plan` writes it; edit it as you like.", None)
    to: str = option("Files of each result: the light, then a picture to look at.", ".exr,.jpg")
    name: str = option(
        "Names of results: text and {date}, {time}, {first}, {last}, {count}, {number}, {camera}.",
        "{date}_{first}-{last}-HDR",
    )
    expand: bool = option("Expand every photo by itself instead of merging brackets.", False)
    like: Path | None = option("Take the options of a result's .json; those given here rule.", None)
    dry_run: bool = option("Only print what would be made.", False)
    retry_failed: bool = option("Try again what failed before with the same photos and options.", False)
    watch: bool = option("Go on when photos arrive, until interrupted.", False)
    by: WorkerOptions = nested(WorkerOptions)
    seconds: float | None = option("Give up a result after so many seconds.", None)
    as_json: bool = option("Print the summary, OUT/batch.json, as JSON.", False, flags=("--json",))

    @property
    def endings(self) -> tuple[str, ...]:
        """Of the files of each result, with dots."""
        return tuple(f".{ending.strip().lower().removeprefix('.')}" for ending in self.to.split(","))


OF_BATCH = {*Request.__dataclass_fields__, *WorkerOptions.__dataclass_fields__}


@command("batch", Request)
def batch(request: Request) -> None:
    """Group the photos of a folder into brackets and merge them all.

    \b
    openhdr batch DCIM/ -o hdr/ --dry-run
    openhdr batch DCIM/ -o hdr/ --to .jpg --method mle
    openhdr info DCIM/ --plan plan.toml        (then edit plan.toml)
    openhdr batch DCIM/ -o hdr/ --plan plan.toml

    Beside the results stand a .json each that says how it was made, batch.json, a list of all, and index.html, a
    contact sheet. What is done with the same photos, options and version is not made again: stop it at any moment, or
    let it crash, and start it again. What fails is listed at the end, and the exit status is then 2. Options of merge,
    or of expand, hold for all results.
    """
    from openhdr.batch.watch import listing, wait_for_change

    _refuse_early(request)
    while True:
        nothing_yet = request.watch and not listing(request.folders, request.output)
        facts = {"brackets": [], "unreadable": []} if nothing_yet else _once(request)
        if not request.watch:
            break
        wait_for_change(request.folders, request.output)
    if request.as_json:
        echo_json(facts)
    for problem in facts["unreadable"]:
        click.echo(printable(f"unreadable: {problem}"), err=True)
    failed = [(one["name"], one["error"]) for one in facts["brackets"] if one["status"] == "failed"]
    give_up(failed, len(facts["brackets"]), "brackets", "--retry-failed tries them again")
    if facts["unreadable"]:
        count = len(facts["unreadable"])
        raise OpenHDRError(f"{count} photo{'s' * (count > 1)} cannot be read and took no part")


batch.params += [
    one for one in {p.name: p for p in (*expand.expand.params, *merge.merge.params)}.values()
    if one.name not in {*OWN, *(known.name for known in batch.params)}
]  # fmt: skip


def _refuse_early(request: Request) -> None:
    """What can be refused before photos are looked at."""
    method = given_options(OF_BATCH).get("method")
    task = "expand" if request.expand else "merge"
    known = [*(INVERSE_TONE_MAPPERS if request.expand else MERGERS)]
    known += [row.name for row in MODELS.values() if row.task == task and row.name not in known]
    if method is not None and method not in known and not request.plan:
        raise unknown_name("method", method, dict.fromkeys(known))
    _refuse_endings(request, light=not (method in MERGERS and MERGERS[str(method)].output == "display"))
    for folder in request.folders:
        if "://" not in folder and not os.path.exists(folder):
            raise FileError(folder, "does not exist", "name a folder of photos")
    if len(request.folders) > 1 and any("://" in folder for folder in request.folders):
        raise RequestError("several folders have to be of this machine; give one URL, or run once for each")
    if request.watch and request.plan:
        raise RequestError("--watch plans by itself; leave --plan out")


def _refuse_endings(request: Request, light: bool) -> None:
    """light: whether the first has to hold HDR light."""
    from openhdr.io import FORMATS, check_output

    rows = {ending: row for row in FORMATS.values() if row.writable for ending in row.extensions}
    for ending in request.endings:
        if ending not in rows:
            raise unknown_name(f"ending in --to {request.to}:", ending, rows)
        check_output(Path(request.output, f"result{ending}"))  # whether its encoder is installed
    if len(set(request.endings)) < len(request.endings):
        raise RequestError(f"--to {request.to}: names an ending twice")
    first = request.endings[0]
    if light and not rows[first].light:
        raise RequestError(
            f"--to {request.to}: '{first}' holds an image for a screen, not HDR light; to get both: --to .exr,{first}"
        )


def _once(request: Request) -> dict[str, Any]:
    """Plan, make what is missing, and return the summary."""
    from openhdr.batch.page import summary, write_page, write_summary
    from openhdr.batch.storage import open_storage, sole_writer

    with progress_bar():
        plan, unreadable = _planned(request)
    left_out = [item for item in plan.items if item.skip]
    jobs = _jobs(plan, request)
    if request.dry_run:
        entries = [_entry(job, request) for job in jobs]
        if not request.as_json:
            _say_plan(entries, left_out)
        return summary(entries, left_out, unreadable)
    out = open_storage(request.output)
    with sole_writer(request.output):
        entries = [_entry(job, request) for job in jobs]
        try:
            _make(entries, request, lambda: write_summary(out, summary(entries, left_out, unreadable)))
        finally:
            facts = summary(entries, left_out, unreadable)
            write_summary(out, facts)
            write_page(out, entries, left_out)
    if not request.as_json:
        counts = Counter(entry.status for entry in entries)
        said = f"{counts['done']} made, {counts['skipped']} done before, {counts['failed']} failed"
        click.echo(printable(f"{request.output}: {said}, {len(left_out)} left out"))
        click.echo(printable(f"{request.output.rstrip('/')}/index.html  (open in a browser)"))
    if not entries:
        echo_notes(
            "", ("no photos form a bracket: openhdr info FOLDER says why; --expand takes every photo",)
        )
    return facts


def _planned(request: Request) -> tuple[Plan, tuple[str, ...]]:
    """The plan, and what could not be read."""
    from openhdr.batch.card import read_bucket, read_card
    from openhdr.batch.plan import Plan, common_folder, read_plan

    first = request.folders[0]
    one = len(request.folders) == 1
    if request.plan:
        plan = read_plan(request.plan)
        return replace(plan, folder=_root(first) if one else plan.folder), ()
    if "://" in first:
        card, folder = read_bucket(first), first.rstrip("/")
    else:
        paths = [Path(folder) for folder in request.folders]
        card, folder = read_card(paths), common_folder(paths)
    results = os.path.abspath(request.output)
    photos = [photo for photo in card.photos if not photo.path.absolute().is_relative_to(results)]
    return Plan.of(photos, folder, request.name, request.expand), card.problems


def _root(folder: str) -> str:
    return folder if "://" in folder else os.path.abspath(folder)


def _jobs(plan: Plan, request: Request) -> list[Job]:
    """How the items of a plan are made: their own options, then those of the command line, then those of --like."""
    from openhdr.batch.job import Job

    given, output, to = given_options(OF_BATCH), _root(request.output), request.endings
    seen: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {}
    jobs = []
    for item in plan.items:
        if item.skip:
            continue
        name = "merge" if len(item.photos) > 1 else "expand"
        key = f"{name} {item.options}"
        if key not in seen:
            seen[key] = _checked(item, name, given, request)
        args, options = seen[key]
        jobs.append(
            Job(item.name, item.photos, plan.folder, output, to, name, args, options, request.seconds)
        )
    return jobs


def _checked(
    item: Item, name: str, given: dict[str, Any], request: Request
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """An item's options as the command line spells them, and by name. Raises what the command raises for bad ones."""
    called = merge.merge if name == "merge" else expand.expand
    options = options_of(request.like, name) if request.like else {}
    options |= given | {key.replace("-", "_"): value for key, value in item.options.items()}
    known = {str(one.name): one for one in called.params if isinstance(one, click.Option)}
    flags = {flag.lstrip("-").replace("-", "_"): key for key, one in known.items() for flag in one.opts}
    options = {flags.get(key, key): value for key, value in options.items()}
    for key in options:
        if key not in known or key in OWN:
            raise RequestError(f"{item.name}: openhdr {name} has no option '{key}' for a batch")
    args = [part for key, value in options.items() for part in spelled(known[key], value)]
    first, *others = request.endings
    output = Path(f"{item.name}{first}")
    words = ["-o", str(output), *args, "--", *item.photos]  # of which some may begin with a dash
    context = called.make_context(f"openhdr {name}", words)
    if not request.like:  # which may be of other files
        asked = made(DeliveryOptions, context.params)
        asked.refuse_unused(output, context.params["operator"], preview=bool(others))
    return tuple(args), options


def _entry(job: Job, request: Request) -> Entry:
    """A job with what is known of it from earlier."""
    from openhdr.batch.job import settled
    from openhdr.batch.page import Entry

    record = settled(job)
    if record is None or (record.status == "failed" and request.retry_failed):
        return Entry(job)
    return Entry(job, "skipped" if record.status == "done" else "failed", record)


def _make(entries: list[Entry], request: Request, save: Callable[[], None]) -> None:
    """Make what is waiting; `entries` get the records, and `save` is called now and then."""
    from openhdr.batch.page import Entry

    places = {entry.job.name: place for place, entry in enumerate(entries) if entry.status == "waiting"}
    if not places:
        return
    jobs = [entry.job for entry in entries if entry.status == "waiting"]
    following = 0.0
    with done_by(request.by, jobs, _need, lambda record: record.status == "failed") as results:
        for job, record in results:
            entries[places[job.name]] = Entry(job, record.status, record)
            began = time.monotonic()
            if began > following:
                save()
                following = time.monotonic() + max(SAVE_S, SAVE_SHARE * (time.monotonic() - began))


def _need(job: Job, threads: int) -> float:
    """GB that a job takes on so many cores, by the size of its first photo and the network that makes it."""
    from openhdr import io
    from openhdr.batch.run import need_gb

    method = str(job.options.get("method"))
    network = method in MODELS and not MODELS[method].inside
    more = float(job.options.get("memory", RunOptions().memory)) if network else 0.0
    if "://" in job.folder:
        return need_gb(24.0, len(job.inputs), threads) + more
    try:
        facts = io.probe(Path(job.folder, job.inputs[0]))
    except OpenHDRError:  # its process will say so
        return 0.0
    return need_gb(facts.width * facts.height / 1e6, len(job.inputs), threads) + more


def _say_plan(entries: list[Entry], left_out: list[Item]) -> None:
    rows = []
    for entry in entries:
        first, *_, last = [os.path.basename(photo) for photo in (*entry.job.inputs, entry.job.inputs[-1])]
        state = {"waiting": "to make", "skipped": "done", "failed": "failed before"}[entry.status]
        rows.append(
            {
                "result": entry.job.name,
                "photos": f"{len(entry.job.inputs)}: {first} .. {last}",
                "state": state,
            }
        )
    if rows:
        click.echo(format_table(rows))
    for item in left_out:
        click.echo(printable(f"left out: {' '.join(item.photos)}: {item.skip}"))
