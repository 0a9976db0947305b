"""`openhdr metrics`: scores of images against references, with the protocol of every number."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli.shared.command import Headed, command
from openhdr.cli.shared.several import each
from openhdr.cli.shared.terminal import echo_json, echo_notes, format_table, progress_bar
from openhdr.core.errors import FileError, RequestError
from openhdr.core.options import argument, option
from openhdr.metrics import METRICS, Column, Score, check_shortest, columns_of, score

if TYPE_CHECKING:
    from openhdr.metrics.protocol import Protocol

_DEFAULT_PPD = 30.0


class _SeveralNames(Headed):
    """Lets `--metric a b c` stand for `--metric a --metric b --metric c`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        spread: list[str] = []
        for word in args:
            follows = len(spread) > 1 and spread[-2] == "--metric" and word.partition("@")[0] in METRICS
            spread += ["--metric", word] if follows else [word]
        return super().parse_args(ctx, spread)


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    test: Path = argument("TEST")
    ref: Path = argument("REF")
    names: tuple[str, ...] = option("Default: the cheap ones.", (), flags=("--metric",), metavar="NAME ...")
    protocol: str | None = option(
        "What 1.0 means in cd/m2, for metrics of vision.", None, metavar="liu2020|abs:PEAK"
    )
    ppd: float = option("Pixels per degree, for hdr-vdp-2.", _DEFAULT_PPD)
    shortest_ev: float | None = option(
        "Stops of the bracket's shortest frame relative to the reference (-2), for NAME@shortest.",
        None,
        flags=("--shortest",),
        metavar="EV",
    )
    csv_path: Path | None = option("Write every score to this file.", None, flags=("--csv",))
    map_path: Path | None = option("Image of where a difference is visible.", None, flags=("--map",))
    as_json: bool = option("Report as JSON.", False, flags=("--json",))


@dataclass(frozen=True)
class Work:
    """What to do with every pair of files."""

    columns: list[Column]
    protocol: Protocol | None
    shortest: float | None  # stops; None = what the scene of a reference says
    map_path: Path | None


@command("metrics", Request, _SeveralNames)
def metrics(request: Request) -> None:
    """Score the image TEST against the reference REF, or the files of a folder against those of another.

    Pixels are taken as scene-linear light; photos are linearised by the sRGB curve. Files of two folders
    belong together by name. A PSNR of equal images is inf, but for psnr-mu-curve, whose curve is fitted
    in steps.

    Metrics: psnr-l, psnr-mu, psnr-mu-curve, ntire-psnr, ntire-psnr-mu, ssim-mu, delta-e-2000; with --protocol also
    pu21-psnr, pu21-ssim; slow, so only when named: hdr-vdp-2, cvvdp, tm-psnr, tm-ssim; of a tone-mapped TEST, when
    named: tmqi, tmqi-naturalness.

    NAME scores values as given (1.0 = the reference frame clips); NAME@shortest, as in `openhdr bench`, divides
    by the level where the shortest frame clips and clips to 0..1. Which frame that is, --shortest says, or the
    scene.json of `openhdr simulate` beside REF.

    Results of the NTIRE challenges (0001.png with 0001_alignratio.npy, in a folder or a .zip) and their truth
    (0001_gt.png) are light: openhdr metrics results.zip HDM/validation --metric ntire-psnr ntire-psnr-mu
    """
    from openhdr.data.challenge import results_in
    from openhdr.metrics.protocol import parse

    protocol = parse(request.protocol, request.ppd)
    columns = columns_of(request.names or None, protocol)
    with results_in(request.test) as test, results_in(request.ref) as ref:
        _report(request, columns, protocol, _pairs(test, ref))


def _report(
    request: Request, columns: list[Column], protocol: Protocol | None, pairs: list[tuple[Path, Path]]
) -> None:
    """Score pairs of files and say what came out."""
    if request.map_path and (len(pairs) > 1 or protocol is None):
        raise RequestError(
            f"--map {request.map_path} needs two files, not folders, and --protocol liu2020 or abs:PEAK"
        )
    work = Work(columns, protocol, request.shortest_ev, request.map_path)
    for ref, _ in pairs:
        check_shortest(columns, _shortest_of(ref, work))
    with progress_bar():
        results = each("scoring", [(*pair, work) for pair in pairs], _score)
    if not results:
        return
    columns_of_scores = zip(*(result["scores"] for result in results), strict=True)
    mean = {one[0].metric: sum(score.value for score in one) / len(one) for one in columns_of_scores}
    if request.csv_path:
        _write_csv(request.csv_path, results, mean)
    if request.as_json:
        echo_json(_facts(results, mean, protocol, request.ppd))
    else:
        click.echo(_text(results, mean))


def _pairs(test: Path, ref: Path) -> list[tuple[Path, Path]]:
    """(reference, test) files; a reference without its test is reported when its turn comes."""
    if test.is_dir() != ref.is_dir():
        raise RequestError(f"{test} and {ref}: one is a folder; name two files or two folders")
    if not ref.is_dir():
        return [(ref, test)]
    tests, refs = _pictures(test), _pictures(ref)
    if not refs:
        raise FileError(ref, "holds no images that openhdr reads")
    by_name = {path.name: path for path in tests}
    by_stem = {path.stem: path for path in tests}
    truths = [
        path for path in refs if path.stem.endswith("_gt")
    ]  # a challenge's folder has frames beside them
    pairs = [
        (path, by_name.get(path.name) or by_stem.get(path.stem.removesuffix("_gt")) or test / path.name)
        for path in truths or refs
    ]
    unused = sorted(path.name for path in set(tests) - {path for _, path in pairs})
    if unused:
        echo_notes(str(test), (f"not scored, because {ref} has no image of the name: {', '.join(unused)}",))
    return pairs


def _pictures(folder: Path) -> list[Path]:
    from openhdr.io import FORMATS

    known = {extension for row in FORMATS.values() for extension in row.extensions}
    return sorted(path for path in folder.iterdir() if path.is_file() and path.suffix.lower() in known)


def _shortest_of(ref: Path, work: Work) -> float | None:
    """Stops of the shortest frame of the bracket that a reference belongs to, if they are known and needed."""
    if work.shortest is not None or all(column.scale == "reference" for column in work.columns):
        return work.shortest
    from openhdr.data.readers.simulated import shortest_ev

    return shortest_ev(ref)


def _score(ref_path: Path, test_path: Path, work: Work) -> dict[str, Any]:
    from openhdr.core.image import Image
    from openhdr.core.progress import task
    from openhdr.core.threads import in_threads
    from openhdr.data.challenge import ratio_of, read_result
    from openhdr.io import read, write
    from openhdr.metrics.hdr_vdp_2 import visibility_map, visibility_picture
    from openhdr.metrics.pair import pair

    def light(path: Path) -> Image:
        ratio = ratio_of(path)
        return Image(read_result(path, ratio)) if ratio.is_file() else read(path)

    test, ref = in_threads(light, (test_path, ref_path))
    for path, image in ((test_path, test), (ref_path, ref)):
        linearised = ("It is a photo; its codes were linearised by the sRGB curve.",)
        echo_notes(str(path), (*image.notes, *(() if image.encoding == "linear" else linearised)))
    scores = []
    try:
        both = pair(test, ref, work.protocol, _shortest_of(ref_path, work))
        with task("scoring", len(work.columns)) as advance:
            for column in work.columns:
                scores.append(score(column, both))
                advance()
    except RequestError as error:
        raise RequestError(f"test {test_path}, ref {ref_path}: {error}") from error
    if work.map_path:
        seen = visibility_picture(visibility_map(both), both.ref)
        write(work.map_path, Image(seen, encoding="srgb"))
    return {"test": test_path, "ref": ref_path, "scores": scores}


def _facts(
    results: list[dict[str, Any]], mean: dict[str, float], protocol: Protocol | None, ppd: float
) -> dict[str, Any]:
    first: list[Score] = results[0]["scores"]
    return {
        "scores": mean,
        "metrics": {
            one.metric: {
                "unit": one.unit,
                "higher_is_better": one.higher_is_better,
                "protocol": one.protocol,
            }
            for one in first
        },
        "protocol": protocol.light if protocol else None,
        "ppd": ppd,
        "images": [
            {
                "test": str(result["test"]),
                "ref": str(result["ref"]),
                "scores": {one.metric: one.value for one in result["scores"]},
            }
            for result in results
        ],
    }


def _text(results: list[dict[str, Any]], mean: dict[str, float]) -> str:
    first: list[Score] = results[0]["scores"]
    if len(results) == 1:
        rows = [
            {
                "metric": one.metric,
                "score": _number(one.value),
                "unit": one.unit,
                "protocol": one.protocol.partition("; ")[2],
            }
            for one in first
        ]
        return format_table(rows)
    rows = [
        {"image": result["ref"].name, **{one.metric: _number(one.value) for one in result["scores"]}}
        for result in results
    ]
    rows.append({"image": "mean", **{name: _number(value) for name, value in mean.items()}})
    return format_table(rows) + "\n\n" + "\n".join(one.protocol for one in first)


def _number(value: float) -> str:
    return f"{value:.4f}"


def _write_csv(path: Path, results: list[dict[str, Any]], mean: dict[str, float]) -> None:
    """One line a score: image, metric, value, unit, protocol; the image `mean` at the end of several."""
    from openhdr.core.files import whole_file

    lines = [(result["ref"].name, one, one.value) for result in results for one in result["scores"]]
    if len(results) > 1:
        lines += [("mean", one, mean[one.metric]) for one in results[0]["scores"]]
    with whole_file(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "metric", "value", "unit", "protocol"])
        writer.writerows(
            [name, one.metric, repr(value), one.unit, one.protocol] for name, one, value in lines
        )
