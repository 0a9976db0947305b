"""`openhdr bench`: methods x scenes -> results.json and report.html."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from openhdr.bench import PHOTO_CASES, PICTURE_CASES
from openhdr.cli.parts.bench_request import Request
from openhdr.cli.parts.bench_without_truth import compare_operators, photos_without_truth
from openhdr.cli.shared.command import command
from openhdr.cli.shared.terminal import echo_json, format_table, progress_bar
from openhdr.cli.shared.workers import give_up, trials_by
from openhdr.core.errors import FileError, RequestError, unknown_name
from openhdr.core.files import write_whole

if TYPE_CHECKING:
    from openhdr.bench.results import Results
    from openhdr.bench.run import Album


@command("bench", Request)
def bench(request: Request) -> None:
    """Run methods on scenes; write results.json and report.html into a folder.

    \b
    openhdr bench demo -o report/                         the built-in bracket
    openhdr bench public --data public_test/hdri -o report/
    openhdr bench brackets/ -o report/                    brackets of `openhdr simulate`, or with gt.exr
    openhdr bench hdm --data HDM -o report/               kalantari, tel, sice-s, hdr-eye, fairchild too
    openhdr bench paper adnet --data HDM                  the paper's tables, ours beside what it printed
    openhdr bench mycase.toml -o report/                  your own methods, scenes and metrics
    openhdr bench heldout --data FOLDER -o report/        photos from a tripod, scored without truth
    openhdr bench look --data FOLDER -o report/           your own brackets, side by side
    openhdr bench tonemapping --data FOLDER -o report/    operators on HDR files and brackets: TMQI, times

    A metric's plain name scores values as given (1.0 = the reference frame clips); NAME@shortest divides by
    the level where the shortest frame clips and clips to 0..1. report.html is one file: open it in a browser.

    Runs are made by processes of their own, one at a time on all cores, so that times can be compared, or --workers
    at a time. results.json is written after every run. With --resume, a run counts as done when its method, its weights
    and the metrics are the same as now; after a change of a method's code, name it with --again. Of heldout, look and
    tonemapping a bracket counts as done when nothing of it failed and all that was asked for is the same, openhdr, too.
    """
    if request.again and not request.resume:
        raise RequestError("`again` chooses what `resume` computes again; add `resume` or leave it out")
    if request.report and not request.report.parent.is_dir():
        raise FileError(
            request.report,
            "its folder does not exist",
            f"make it: mkdir -p {quote(str(request.report.parent))}",
        )
    if request.case == "paper":
        print_paper(request)
        return
    if request.submission:
        write_submission(request, request.submission)
        return
    if len(request.words) > 1:
        raise RequestError(f"bench {' '.join(request.words)}: expected one case")
    if request.case in PHOTO_CASES:
        photos_without_truth(request)
        return
    if request.case in PICTURE_CASES:
        compare_operators(request)
        return
    results, album = _run(request)
    results.save(request.folder / "results.json")
    album.write(results, request.page)
    if request.as_json:
        echo_json(results.facts())
    else:
        _print(results, request)
    failures = [(f"{one.scene}, {one.method}", one.error) for one in results.failures]
    give_up(failures, len(results.runs), "runs", "the others are done")


def print_paper(request: Request) -> None:
    """A paper's tables, filled in."""
    from openhdr.bench.paper import PAPERS, Given, fill, load_paper

    if len(request.words) != 2:
        raise RequestError(f"bench paper: name one of {', '.join(PAPERS)}")
    pairs = [text.partition("=") for text in request.weights]
    if not all(name and file for name, _, file in pairs):
        raise RequestError("`weights`: expected NAME=FILE, the name of a row or of a network")
    for _, _, file in pairs:
        if not Path(file).is_file():
            raise FileError(file, "does not exist", "`weights` takes NAME=FILE")
    paper = load_paper(request.words[1])
    given = Given(
        request.data,
        {name: file for name, _, file in pairs},
        request.programs,
        request.scenes,
        {"device": request.device},
        partial(trials_by, request.by),
    )
    numbers = {table.number.partition(",")[0] for table in paper.tables}
    for number in request.tables:
        if number not in numbers:
            raise unknown_name("table", number, numbers)
    tables = [one for one in paper.tables if one.number.partition(",")[0] in (request.tables or numbers)]
    filled = [fill(table, given) for table in tables]
    facts: dict[str, Any] = {
        "paper": paper.name,
        "title": paper.title,
        "tables": [one.facts() for one in filled],
    }
    if request.output is not None:
        from openhdr.core.files import make_folder

        make_folder(request.output)
        write_whole(request.output / "results.json", json.dumps(facts, indent=1).encode())
    if request.as_json:
        echo_json(facts)
        return
    click.echo(paper.title)
    for one in facts["tables"]:
        click.echo(f"\nTable {one['number']}. {one['title']}")
        for note in filter(None, (one["why"], one["note"], *one["notes"])):
            click.echo(f"  {note}")
        if one["rows"]:
            click.echo(format_table([paper_line(row) for row in one["rows"]]))
    click.echo(
        "\n`paper`: printed there, - = not printed; `ours`: computed here, - = not computed, `how` says how"
    )


def paper_line(row: dict[str, Any]) -> dict[str, str]:
    """A line of a paper's table: each column twice, as printed and ours, then whose weights or how to get them."""
    cells = {"row": row["name"]}
    for column, printed in row["printed"].items():
        ours = row["ours"].get(column)
        cells[f"{column} paper"] = printed or "-"
        cells[f"{column} ours"] = "-" if ours is None else f"{ours:.4g}" if abs(ours) < 100 else f"{ours:.2f}"
    return cells | {"how": row["weights"] or row["how"]}


def write_submission(request: Request, target: Path) -> None:
    """What one method makes of a challenge's frames."""
    from openhdr.bench.datasets import with_run_options
    from openhdr.bench.methods.settings import parse_setting
    from openhdr.bench.submission import submit
    from openhdr.data.readers import open_dataset

    if request.case != "hdm" or request.data is None:
        raise RequestError(
            "`submission` is of the case hdm: openhdr bench hdm --data FRAMES --method NAME --submit out.zip"
        )
    settings = [
        *(parse_setting(text, frames_as_they_are=True) for text in request.methods),
        *request.program_settings(),
    ]
    if len(settings) != 1:
        raise RequestError(f"`submission` takes one method; got {len(settings)}")
    dataset = open_dataset("hdm", request.data, request.split or "test").complete()
    if request.scenes:
        dataset = dataset.only(request.scenes)
    with progress_bar():
        chosen = with_run_options(settings[0], {"augment": request.augment, "device": request.device})
        count = submit(dataset, chosen, target)
    click.echo(f"{target}  {count} scenes by {settings[0].name}")


def _run(request: Request) -> tuple[Results, Album]:
    """The results, with those of an earlier run where asked for, and the images."""
    from openhdr.bench.datasets import with_run_options
    from openhdr.bench.load_case import CaseSource, narrowed
    from openhdr.bench.resume import earlier_results, joined
    from openhdr.bench.run import Extent, run
    from openhdr.core.files import make_folder

    make_folder(request.folder)
    path = request.folder / "results.json"
    source = CaseSource.of(request.case, request.data, request.folder, request.split)
    with progress_bar():
        whole = source.load()
    run_options = {"augment": request.augment, "device": request.device}
    whole = replace(whole, settings=tuple(with_run_options(one, run_options) for one in whole.settings))
    narrowed(whole, request.again, request.pictured, ())  # refuses unknown names
    case = narrowed(whole, request.methods, request.scenes, request.metrics)
    case = replace(case, settings=tuple(with_run_options(one, run_options) for one in case.settings))
    case = replace(case, settings=(*case.settings, *request.program_settings()))
    own = {setting.name for setting in whole.settings}
    further = (setting for setting in case.settings if setting.name not in own)
    whole = replace(whole, columns=case.columns, settings=(*whole.settings, *further))
    earlier = earlier_results(path, whole, request.again) if request.resume else None
    done = frozenset((one.method, one.scene) for one in earlier.runs) if earlier else frozenset()
    shown = (request.pictured or None, request.compressed)
    extent = Extent(
        done, *shown, lambda new: joined(whole, earlier, new).save(path), at_a_time=request.by.workers or 1
    )
    results, album = run(case, extent, trials_by(request.by, source, case))
    return joined(whole, earlier, results), album


def _print(results: Results, request: Request) -> None:
    """The table of means and where the files are."""
    rows = []
    for one in results.means("all"):
        row = {"method": one["method"]}
        row |= {key: "-" if value is None else f"{value:.4g}" for key, value in one["scores"].items()}
        row["time s"] = "-" if one["time_s"] is None else f"{one['time_s']:.2f}"
        row["memory MB"] = "-" if one["peak_memory_mb"] is None else f"{one['peak_memory_mb']:.0f}"
        rows.append(row)
    for note in results.about["case"]["notes"]:
        click.echo(note)
    count = "1 scene" if len(results.scenes) == 1 else f"{len(results.scenes)} scenes"
    click.echo(f"means over {count}; @shortest: 1.0 = the shortest frame clips, clipped to 0..1")
    click.echo(f"{format_table(rows)}\n{request.written}")
