"""`openhdr bench`: methods x scenes -> results.json and report.html."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli.common import echo_json, format_table, progress_bar
from openhdr.core.errors import OpenHDRError

if TYPE_CHECKING:
    from openhdr.bench.results import Results


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    case: str
    output: Path
    data: Path | None
    methods: tuple[str, ...]
    scenes: tuple[str, ...]
    metrics: tuple[str, ...]
    as_json: bool


@click.command("bench")
@click.argument("case")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder."
)
@click.option(
    "--data", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Scenes of the case."
)
@click.option("--method", "methods", multiple=True, help="Only this method of the case; may be repeated.")
@click.option("--scene", "scenes", multiple=True, help="Only this scene; may be repeated.")
@click.option(
    "--metric", "metrics", multiple=True, help="These scores instead: psnr-mu, psnr-mu@shortest, ..."
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def bench(**options: Any) -> None:
    """Run methods on scenes with known truth; write results.json and report.html into a folder.

    \b
    openhdr bench demo -o report/                         the built-in bracket
    openhdr bench public --data public_test/hdri -o report/
    openhdr bench brackets/ -o report/                    brackets of `openhdr simulate`
    openhdr bench mycase.toml -o report/                  your own methods, scenes and metrics

    A metric's plain name scores values as given (1.0 = the reference frame clips); NAME@shortest divides by
    the level where the shortest frame clips and clips to 0..1. report.html is one file: open it in a browser.
    """
    request = Request(**options)
    from openhdr.bench.folders import make_folder
    from openhdr.bench.load import load_case, narrowed
    from openhdr.bench.report import write_report
    from openhdr.bench.run import run

    make_folder(request.output)
    with progress_bar():
        case = load_case(request.case, request.data, request.output)
        results, album = run(narrowed(case, request.methods, request.scenes, request.metrics))
    results.save(request.output / "results.json")
    write_report(results, album, request.output / "report.html")
    if request.as_json:
        echo_json(results.facts())
    else:
        _print(results, request.output)
    _name_failures(results)


def _print(results: Results, folder: Path) -> None:
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
    click.echo(f"{folder / 'results.json'}\n{folder / 'report.html'}  (open in a browser)")


def _name_failures(results: Results) -> None:
    """Raise for methods that failed, so that the command ends with 2; the results are written already."""
    failed = results.failures
    if failed:
        names = ", ".join(dict.fromkeys(run.method for run in failed))
        raise OpenHDRError(f"{len(failed)} of {len(results.runs)} runs failed ({names}): {failed[0].error}")
