"""What `openhdr bench` is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openhdr.cli.shared.workers import WorkerOptions
from openhdr.core.errors import RequestError
from openhdr.core.options import argument, nested, option

if TYPE_CHECKING:
    from openhdr.bench.methods.settings import Setting


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    words: tuple[str, ...] = argument("CASE")
    output: Path | None = option(
        "Folder; `paper` does without.",
        None,
        flags=("-o", "--output"),
        kind=click.Path(path_type=Path, file_okay=False),
    )
    data: Path | None = option(
        "Folder of the case's scenes or brackets.",
        None,
        kind=click.Path(path_type=Path, exists=True, file_okay=False),
    )
    methods: tuple[str, ...] = option(
        "Only this method of the case, or any with its options: mle:align=none,deghost=off; may be repeated.",
        (),
        flags=("--method",),
    )
    programs: tuple[str, ...] = option(
        "A program outside as a method: enfuse='enfuse -o {output:.tif} {inputs}'; {ev} = exposures.",
        (),
        flags=("--program",),
        metavar="NAME=COMMAND",
    )
    split: str | None = option("Of a dataset: another than the case's; `all` is every scene.", None)
    augment: bool = option("Of networks on a dataset: test-time augmentation, the mean of four views.", False)
    scenes: tuple[str, ...] = option("Only this scene or bracket; may be repeated.", (), flags=("--scene",))
    metrics: tuple[str, ...] = option(
        "These scores instead: psnr-mu, psnr-mu@shortest, ...; may be repeated.", (), flags=("--metric",)
    )
    submission: Path | None = option(
        "Of hdm: no scores; write what one method makes of the frames as the challenge's server took it.",
        None,
        flags=("--submit",),
        metavar="FILE.zip|FOLDER",
    )
    weights: tuple[str, ...] = option(
        "Of paper: the weights of a row, or of a network; may be repeated.", (), metavar="NAME=FILE"
    )
    tables: tuple[str, ...] = option("Of paper: only this table; may be repeated.", (), flags=("--table",))
    device: str = option("Of networks on a dataset: cpu, cuda, cuda:1, mps.", "cpu")
    by: WorkerOptions = nested(WorkerOptions)
    resume: bool = option("Compute only what results.json in the folder lacks.", False)
    again: tuple[str, ...] = option("With --resume: compute this method again; may be repeated.", ())
    pictured: tuple[str, ...] = option("Images of this scene only in the report; may be repeated.", ())
    compressed: bool = option("Small images rather than exact ones in the report.", False)
    report: Path | None = option(
        "The page.  [default: report.html in the folder]",
        None,
        kind=click.Path(path_type=Path, dir_okay=False),
    )
    size: str | None = option(
        "Of heldout and look: WxH in the middle of a photo, or full.  [default: 1600x1100, full]", None
    )
    operator: str | None = option("Of look: tone mapping of the images.", None)
    blind: bool = option(
        "Of look and tonemapping: also blind.html, pairs without names to choose from.", False
    )
    as_json: bool = option("Print the results as JSON.", False, flags=("--json",))

    @property
    def case(self) -> str:
        return self.words[0]

    @property
    def folder(self) -> Path:
        """Where results go. Raises RequestError where none is named."""
        if self.output is None:
            raise RequestError(
                f"bench {self.case} writes results.json and report.html; name a folder as `output`"
            )
        return self.output

    @property
    def page(self) -> Path:
        """Where the report goes."""
        return self.report or self.folder / "report.html"

    @property
    def written(self) -> str:
        """Where results and report are, for a terminal."""
        return f"{self.folder / 'results.json'}\n{self.page}  (open in a browser)"

    def program_settings(self) -> list[Setting]:
        from openhdr.bench.methods.settings import parse_program

        return [parse_program(text) for text in self.programs]
