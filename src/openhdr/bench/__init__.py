"""Methods x scenes -> scores, times and one page to look at.

    case = load_case("demo", None, folder)         # a row of CASES, a folder of brackets or a .toml file
    results, page = run(case)                      # case.py, settings.py, scoring.py, measure.py, run.py
    results.save(folder / "results.json")          # results.py
    write_report(results, page, folder / "report.html")      # report.py, pictures.py, assets/

A named case is one function in named.py, or a file of its own, and one row here.
"""

from __future__ import annotations

from openhdr.core.table import Row, Table

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
