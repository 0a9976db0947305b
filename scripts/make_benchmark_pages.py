"""Write the pages, tables and plots that benchmarks/results fills, so that no number is typed by hand.

    python scripts/make_benchmark_pages.py            write them
    python scripts/make_benchmark_pages.py --check    write nothing; exit 1 and name what differs

A page may hold parts between `<!-- benchmark: NAME -->` and `<!-- end -->`; the rest of it is written by hand.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from benchmark_pages import pages
from benchmark_pages.stored import ROOT, read

PART = re.compile(r"(<!-- benchmark: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
WITH_PARTS = ("README.md", "docs/explanation/which-method.md")


def texts() -> dict[Path, str]:
    """Every file that the results decide, with what it should hold."""
    merging, real, single, robust = (
        read("public", "merge"),
        read("public-real-camera", "merge"),
        read("public-single", "expand"),
        read("robustness", "merge"),
    )
    if merging is None or real is None or single is None or robust is None:
        raise SystemExit("benchmarks/results lacks a case; run the commands of docs/reference/benchmark.md")
    parts = {
        "readme": pages.readme_part(merging, single),
        "default-merge": pages.default_merge(merging),
        "default-expand": pages.default_expand(single),
    }
    title = "Merging: quality over cost"
    made = {
        "docs/reference/benchmark.md": pages.benchmark_page(merging, real, single, robust),
        "docs/images/benchmark-merge.svg": pages.pareto(merging, pages.MERGE_KEY, title),
        "docs/images/benchmark-expand.svg": pages.pareto(
            single, pages.SINGLE_KEY, "One photo: quality over cost"
        ),
    }
    made |= {name: filled((ROOT / name).read_text(encoding="utf-8"), parts) for name in WITH_PARTS}
    return {ROOT / name: text for name, text in made.items()}


def filled(page: str, parts: dict[str, str]) -> str:
    """The page with its parts as they should be."""
    return PART.sub(lambda found: f"{found[1]}\n{parts[found[2]].strip()}\n\n{found[3]}", page)


def main() -> None:
    wanted = texts()
    stale = [
        path
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        if stale:
            names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
            sys.exit(f"stale: {names}; run: make docs")
        return
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")


if __name__ == "__main__":
    main()
