"""Methods x scenes -> scores, times and one page to look at.

    case = load_case("demo", None, folder)         # a row of CASES, a folder of brackets or a .toml file
    results, page = run(case)                      # case.py, settings.py, scoring.py, measure.py, run.py
    results.save(folder / "results.json")          # results.py
    page.write(results, folder / "report.html")    # page.py, pictures.py, assets/

A named case is one function in named.py, or a file of its own, and one row here.

Real photos have no truth: a row of PHOTO_CASES, one file each (heldout.py, look.py), reads brackets by photos.py and
makes a page by photo_page.py. Methods are the same: settings of openhdr's, of OpenCV (opencv.py) and of programs
outside (program.py), run by methods.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from openhdr.core.table import Row, Table
from openhdr.merging import DEFAULT as DEFAULT_MERGER

CASES: Table[Row] = Table(
    "bench case",
    Row(
        "demo",
        "The built-in bracket: a sunlit room, hand-held, a toy train rolls.",
        "openhdr.bench.named:demo",
    ),
    Row(
        "public",
        "24 moving and 8 still brackets from the public_test panoramas (--data).",
        "openhdr.bench.named:public",
    ),
    Row(
        "public-single",
        "One photo to HDR on the reference frames of the public case (--data).",
        "openhdr.bench.named:public_single",
    ),
    Row(
        "public-real-camera",
        "12 hand-held and 8 tripod brackets by real cameras, from the same panoramas (--data).",
        "openhdr.bench.named:public_real_camera",
    ),
    Row(
        "robustness",
        "Motion, EV step, ISO, response and wrong exposures, one at a time (--data).",
        "openhdr.bench.robustness:robustness",
    ),
)
"""A row's target is a function (data folder or None, folder to work in) -> `bench.case.Case`."""


@dataclass(frozen=True)
class PhotoCaseRow(Row):
    """Brackets of real photos. methods: what runs where none is named. size: what of a photo is used.

    Its target is a function (brackets: PhotoSets, settings, Showing, keep) -> (facts of results.json, PhotoPage).
    """

    methods: tuple[str, ...] = ()
    size: str = "full"


PHOTO_CASES: Table[PhotoCaseRow] = Table(
    "bench case",
    PhotoCaseRow(
        "heldout",
        "Brackets from a tripod (--data): photos left out of a merge are predicted from it.",
        "openhdr.bench.heldout:heldout",
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
        "openhdr.bench.look:look",
        methods=(DEFAULT_MERGER, "mle", "mertens", "opencv"),
    ),
)
