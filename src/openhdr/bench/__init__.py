"""Methods x scenes -> scores, times and one page to look at.

    case = load_case("demo", None, folder)         # a row of CASES, a folder of brackets or a .toml file
    results, page = run(case)
    results.save(folder / "results.json")
    page.write(results, folder / "report.html")

A named case is one function in named_cases.py, or a file of its own, and one row here. A dataset of the field is a row
of DATASET_CASES, read by datasets.py.

case, load_case            what a benchmark consists of; from the words of a command to one
named_cases, robustness    cases by name; where methods stop working
datasets                   the field's datasets as cases
run, trial                 every method on every scene; one method on one scene
scoring, measure           scores of a result and maps of its errors; time and memory
results, resume            what was found, as plain facts; going on with it
methods/                   what is compared: openhdr's methods, OpenCV's and programs outside, run on a bracket
without_truth/             real photos and tone mapping: a row of PHOTO_CASES or PICTURE_CASES, one file each
paper, papers/             tables of the five papers, filled in
submission                 files for a challenge's server
report/                    pages and figures
"""

from __future__ import annotations

from dataclasses import dataclass

from openhdr.core.table import Row, Table
from openhdr.merging import DEFAULT as DEFAULT_MERGER
from openhdr.metrics import Column

CASES: Table[Row] = Table(
    "bench case",
    Row(
        "demo",
        "The built-in bracket: a sunlit room, hand-held, a toy train rolls.",
        "openhdr.bench.named_cases:demo",
    ),
    Row(
        "public",
        "24 moving and 8 still brackets from the public_test panoramas (--data).",
        "openhdr.bench.named_cases:public",
    ),
    Row(
        "public-single",
        "One photo to HDR on the reference frames of the public case (--data).",
        "openhdr.bench.named_cases:public_single",
    ),
    Row(
        "public-real-camera",
        "12 hand-held and 8 tripod brackets by real cameras, from the same panoramas (--data).",
        "openhdr.bench.named_cases:public_real_camera",
    ),
    Row(
        "robustness",
        "Motion, EV step, ISO, response and wrong exposures, one at a time (--data).",
        "openhdr.bench.robustness:robustness",
    ),
)
"""A row's target is a function (data folder or None, folder to work in) -> `bench.case.Case`."""


@dataclass(frozen=True)
class DatasetCaseRow(Row):
    """A dataset as its owners lay it out, by the protocol of its papers. Its target is
    `openhdr.bench.datasets.dataset_case`.

    dataset, split: of `openhdr.data.readers.DATASETS`. expands: methods are given one photo. side: images are brought
    to a square of so many pixels, 0 = they are not.
    """

    target: str = "openhdr.bench.datasets:dataset_case"
    title: str = ""
    dataset: str = ""
    split: str = "all"
    expands: bool = False
    side: int = 0
    columns: tuple[Column, ...] = ()


_CHALLENGE = (Column("ntire-psnr"), Column("ntire-psnr-mu"))
_DEGHOSTING = (
    Column("psnr-mu", "shortest"),
    Column("psnr-l", "shortest"),
    Column("ssim-mu", "shortest"),
    Column("hdr-vdp-2", "shortest"),
)
_EXPANSION = (Column("hdr-vdp-2", "reference", "liu2020"), Column("tm-psnr"), Column("tm-ssim"))

DATASET_CASES: Table[DatasetCaseRow] = Table(
    "bench case",
    DatasetCaseRow(
        "hdm",
        "HdM/NTIRE frames (--data), scored as by the challenges' server.",
        title="HdM / NTIRE",
        dataset="hdm",
        split="validation",
        columns=_CHALLENGE,
    ),
    DatasetCaseRow(
        "kalantari",
        "Kalantari's 15 test scenes (--data), on the scale of the shortest frame.",
        title="Kalantari 2017",
        dataset="kalantari",
        split="test",
        columns=_DEGHOSTING,
    ),
    DatasetCaseRow(
        "tel",
        "Tel's test scenes (--data), as Kalantari's.",
        title="Tel 2023",
        dataset="tel",
        split="test",
        columns=_DEGHOSTING,
    ),
    DatasetCaseRow(
        "sice-s",
        "One photo of SICE-S stacks (--data), as the stack-based paper scores.",
        title="SICE-S, HDR-TEST",
        dataset="sice-s",
        split="test",
        expands=True,
        side=512,
        columns=_EXPANSION,
    ),
    DatasetCaseRow(
        "hdr-eye",
        "One photo of HDR-Eye's scenes (--data), as the stack-based paper scores.",
        title="HDR-Eye",
        dataset="hdr-eye",
        expands=True,
        side=512,
        columns=_EXPANSION,
    ),
    DatasetCaseRow(
        "fairchild",
        "One photo of Fairchild's survey (--data), as the stack-based paper scores.",
        title="HDR Photographic Survey",
        dataset="fairchild",
        expands=True,
        side=512,
        columns=_EXPANSION,
    ),
)


@dataclass(frozen=True)
class PhotoCaseRow(Row):
    """Brackets of real photos. methods: what runs where none is named. size: what of a photo is used.

    Its target is a function (brackets: PhotoSets, settings, Showing, make, keep) -> (facts of results.json, PhotoPage).
    """

    methods: tuple[str, ...] = ()
    size: str = "full"


PHOTO_CASES: Table[PhotoCaseRow] = Table(
    "bench case",
    PhotoCaseRow(
        "heldout",
        "Brackets from a tripod (--data): photos left out of a merge are predicted from it.",
        "openhdr.bench.without_truth.heldout:heldout",
        methods=(
            DEFAULT_MERGER,
            "mle",
            "mle:align=none,deghost=off",
            "mle:align=none,deghost=off,response=calibrate",
            "opencv:align=none",
        ),
        size="1600x1100",
    ),
    PhotoCaseRow(
        "look",
        "Brackets of one's own (--data), side by side and without any score.",
        "openhdr.bench.without_truth.look:look",
        methods=(DEFAULT_MERGER, "mle", "mertens", "opencv"),
    ),
)

PICTURE_CASES: Table[Row] = Table(
    "bench case",
    Row(
        "tonemapping",
        "Tone mapping of HDR files and brackets (--data; without, the built-in scene): TMQI, times, pictures.",
        "openhdr.bench.without_truth.tonemapping:tonemapping",
    ),
)
"""A row's target is a function (`tonemapping.Asked`, make, keep) -> (facts of results.json, PhotoPage)."""
