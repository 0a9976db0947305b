"""`openhdr bench`: methods x scenes -> results.json and report.html."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli.common import echo_json, format_table, progress_bar
from openhdr.core.errors import FileError, OpenHDRError, RequestError

if TYPE_CHECKING:
    from openhdr.bench.results import Results
    from openhdr.bench.run import Album


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    case: str
    output: Path
    data: Path | None
    methods: tuple[str, ...]
    size: str
    scenes: tuple[str, ...]
    metrics: tuple[str, ...]
    resume: bool
    again: tuple[str, ...]
    pictured: tuple[str, ...]
    compressed: bool
    report: Path | None
    as_json: bool


@click.command("bench")
@click.argument("case")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder."
)
@click.option(
    "--data", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Scenes of the case."
)
@click.option(
    "--method",
    "methods",
    multiple=True,
    help="Only this method of the case; of heldout any with options, mle:align=none,deghost=off. May be repeated.",
)
@click.option(
    "--size",
    default="1600x1100",
    show_default=True,
    help="Of heldout: the part of a photo that is used, or full; above 6 megapixels photos are halved first.",
)
@click.option("--scene", "scenes", multiple=True, help="Only this scene; may be repeated.")
@click.option(
    "--metric", "metrics", multiple=True, help="These scores instead: psnr-mu, psnr-mu@shortest, ..."
)
@click.option("--resume", is_flag=True, help="Compute only what results.json in the folder lacks.")
@click.option("--again", multiple=True, help="With --resume: compute this method again; may be repeated.")
@click.option("--pictured", multiple=True, help="Pictures of this scene only in the report; may be repeated.")
@click.option("--compressed", is_flag=True, help="Small pictures rather than exact ones in the report.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page.  [default: report.html in the folder]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def bench(**options: Any) -> None:
    """Run methods on scenes with known truth; write results.json and report.html into a folder.

    \b
    openhdr bench demo -o report/                         the built-in bracket
    openhdr bench public --data public_test/hdri -o report/
    openhdr bench brackets/ -o report/                    brackets of `openhdr simulate`
    openhdr bench mycase.toml -o report/                  your own methods, scenes and metrics
    openhdr bench heldout --data FOLDER -o report/        your own photos from a tripod, without truth

    A metric's plain name scores values as given (1.0 = the reference frame clips); NAME@shortest divides by
    the level where the shortest frame clips and clips to 0..1. report.html is one file: open it in a browser.

    results.json is written after every run. With --resume, a run counts as done when its method, its weights
    and the metrics are the same as now; after a change of a method's code, name it with --again.
    """
    request = Request(**options)
    _refuse_early(request)
    if request.case == "heldout":
        _heldout(request)
        return
    from openhdr.bench.report import write_report

    with progress_bar():
        results, album = _run(request)
    results.save(request.output / "results.json")
    write_report(results, album, request.report or request.output / "report.html")
    if request.as_json:
        echo_json(results.facts())
    else:
        _print(results, request)
    _name_failures(results)


def _refuse_early(request: Request) -> None:
    if request.again and not request.resume:
        raise RequestError("--again chooses what --resume computes again; add --resume or leave it out")
    if request.report and not request.report.parent.is_dir():
        raise FileError(
            request.report, "its folder does not exist", f"make it: mkdir -p {request.report.parent}"
        )


def _heldout(request: Request) -> None:
    from openhdr.bench.heldout import default_settings, heldout
    from openhdr.bench.photo_sets import Size, photo_sets
    from openhdr.bench.settings import parse_setting
    from openhdr.core.files import make_folder, write_whole

    if request.data is None:
        raise RequestError("heldout: its photos are missing; --data FOLDER with a folder a bracket")
    settings = [parse_setting(text) for text in request.methods] or default_settings()
    sets = [one for one in photo_sets(request.data) if not request.scenes or one.name in request.scenes]
    make_folder(request.output)
    with progress_bar():
        facts = heldout(sets, settings, Size.parse(request.size))
    path = request.output / "results.json"
    write_whole(path, json.dumps(facts, indent=1).encode())
    if request.as_json:
        echo_json(facts)
        return
    for name, found in [*facts["sets"].items(), ("mean", {"methods": facts["means"]})]:
        click.echo(f"{name}: {', '.join(found['merged'])} merged" if "merged" in found else name)
        click.echo(format_table([_heldout_row(*item) for item in found["methods"].items()]))
    click.echo(str(path))


def _heldout_row(method: str, scores: dict[str, Any]) -> dict[str, str]:
    row = {"method": method}
    for part, values in (("", scores), ("whole ", scores.get("whole", {}))):
        for name in ("per_channel", "shared", "one_curve"):
            value = values.get(name)
            row[part + name] = "-" if value is None else f"{float(value):.2f}"
    return row


def _run(request: Request) -> tuple[Results, Album]:
    """The results, with those of an earlier run where asked for, and the pictures."""
    from openhdr.bench.load import load_case, narrowed
    from openhdr.bench.resume import earlier_results, joined
    from openhdr.bench.run import Extent, run
    from openhdr.core.files import make_folder

    make_folder(request.output)
    path = request.output / "results.json"
    whole = load_case(request.case, request.data, request.output)
    narrowed(whole, request.again, request.pictured, ())  # refuses unknown names
    case = narrowed(whole, request.methods, request.scenes, request.metrics)
    whole = replace(whole, columns=case.columns)
    earlier = earlier_results(path, whole, request.again) if request.resume else None
    done = frozenset((one.method, one.scene) for one in earlier.runs) if earlier else frozenset()
    extent = Extent(
        done, request.pictured or None, request.compressed, lambda new: joined(whole, earlier, new).save(path)
    )
    results, album = run(case, extent)
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
    count = "1 scene" if len(results.scenes) == 1 else f"{len(results.scenes)} scenes"
    click.echo(f"means over {count}; @shortest: 1.0 = the shortest frame clips, clipped to 0..1")
    click.echo(format_table(rows))
    page = request.report or request.output / "report.html"
    click.echo(f"{request.output / 'results.json'}\n{page}  (open in a browser)")


def _name_failures(results: Results) -> None:
    """Raise for methods that failed, so that the command ends with 2; the results are written already."""
    failed = results.failures
    if failed:
        names = ", ".join(dict.fromkeys(run.method for run in failed))
        raise OpenHDRError(f"{len(failed)} of {len(results.runs)} runs failed ({names}): {failed[0].error}")
