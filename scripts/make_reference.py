"""Write docs/reference from the tables and the commands' own help, so that it cannot go stale.

    python scripts/make_reference.py            write the pages
    python scripts/make_reference.py --check    write nothing; exit 1 and name the pages that differ

Reading tables and help needs neither torch nor any other extra.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path

import click

import openhdr
from openhdr.alignment import ALIGNERS
from openhdr.alignment import DEFAULT as DEFAULT_ALIGNER
from openhdr.bench import CASES, DATASET_CASES, PHOTO_CASES, PICTURE_CASES
from openhdr.cli import COMMANDS
from openhdr.core.table import Row
from openhdr.data.readers import DATASETS
from openhdr.expansion import DEFAULT as DEFAULT_INVERSE_TONE_MAPPER
from openhdr.expansion import INVERSE_TONE_MAPPERS
from openhdr.io import FORMATS
from openhdr.merging import DEFAULT as DEFAULT_MERGER
from openhdr.merging import MERGERS
from openhdr.metrics import METRICS
from openhdr.models import MODELS, WEIGHTS
from openhdr.tonemapping import DEFAULT as DEFAULT_OPERATOR
from openhdr.tonemapping import OPERATORS

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
NOTE = "<!-- Written by scripts/make_reference.py; change the code, then run: make docs -->"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""

    def line(cells: Iterable[object]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    head = list(head)
    return "\n".join([line(head), line("---" for _ in head), *(line(row) for row in rows)])


def named(row: Row, default: str = "") -> str:
    return f"`{row.name}`" + (" (default)" if row.name == default else "")


def page(title: str, lead: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", NOTE, lead, *parts]) + "\n"


# --- commands --------------------------------------------------------------------------------------------


def commands() -> str:
    lead = (
        "Exit status of every command: 0 = done, 2 = the input or the request is wrong (one line on stderr says "
        "what to do), 1 = a fault of openhdr. Results go to stdout, progress and notes to stderr. An output file "
        "appears whole or not at all."
    )
    return page("Commands", lead, *(command(row) for row in COMMANDS.values()))


def command(row: Row) -> str:
    """One section: usage, what it does, a table of its options."""
    loaded = row.load()
    context = click.Context(
        loaded, info_name=f"openhdr {row.name}", terminal_width=100, max_content_width=100
    )
    usage = " ".join(context.command.get_usage(context).removeprefix("Usage: ").split())
    options = [one for one in loaded.params if isinstance(one, click.Option)]
    rows = ((option_names(one), option_help(one, context)) for one in options)
    return "\n\n".join(
        [
            f"## openhdr {row.name}",
            f"```\n{usage}\n```",
            help_text(loaded),
            table(["option", "meaning"], rows),
        ]
    )


def help_text(loaded: click.Command) -> str:
    """The help as Markdown; paragraphs that click must not wrap become code blocks."""
    paragraphs = inspect.cleandoc(loaded.help or "").split("\n\n")
    return "\n\n".join(
        "```\n" + part.removeprefix("\b\n").strip() + "\n```"
        if part.startswith("\b")
        else " ".join(part.split())
        for part in paragraphs
    )


def option_names(option: click.Option) -> str:
    kind = "" if option.is_flag else " " + option.make_metavar(click.Context(click.Command("x")))
    both = "/".join([option.opts[-1], *option.secondary_opts])
    short = [name for name in option.opts if name != option.opts[-1]]
    return ", ".join(f"`{name}`" for name in [*short, both + kind])


def option_help(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    text = record[1] if record else option.help or ""
    return " ".join(text.split()) + ("" if not option.multiple else " May be repeated.")


# --- tables ----------------------------------------------------------------------------------------------


def methods() -> str:
    mergers = ((named(row, DEFAULT_MERGER), row.summary, row.output) for row in MERGERS.values())
    aligners = ((named(row, DEFAULT_ALIGNER), row.summary) for row in ALIGNERS.values())
    inverse_tone_mappers = (
        (named(row, DEFAULT_INVERSE_TONE_MAPPER), row.summary, row.paper or "ours")
        for row in INVERSE_TONE_MAPPERS.values()
    )
    operators = (
        (named(row, DEFAULT_OPERATOR), row.summary, row.paper, "local" if row.local else "global")
        for row in OPERATORS.values()
    )
    return page(
        "Methods",
        "What `openhdr` can choose between. Networks have a page of their own: [models](models.md).",
        "## Mergers: `openhdr merge --method`",
        "`radiance` mergers give scene-linear light; a `display` merger gives a picture to look at.",
        table(["name", "what it does", "gives"], mergers),
        "## Aligners: `openhdr merge --align`",
        table(["name", "what it does"], aligners),
        "## Expansion of one photo: `openhdr expand --method`",
        table(["name", "what it does", "source"], inverse_tone_mappers),
        "## Tone mapping operators: `openhdr tonemap --operator`",
        table(["name", "what it does", "source", "kind"], operators),
    )


def operators() -> str:
    lead = (
        "What every tone mapping operator takes, as options of `openhdr tonemap`, as lines of a preset, and by "
        "`openhdr.tonemap(hdr, name, options={...})`. In the pictures of the built-in scene each row shows one option: "
        "lower, as it is by default, and higher. [How to use them](../how-to/tone-map.md)."
    )
    return page("Tone mapping operators", lead, *(operator(row) for row in OPERATORS.values()))


def operator(row: Row) -> str:
    declared = [one for one in fields(row.options) if "option" in one.metadata]
    rows = (
        (
            f"`{one.name}`",
            one.metadata["option"].help.partition("  [default")[0],
            "from the picture" if one.default is None else f"{one.default:g}",
            "{:g} to {:g}".format(*one.metadata["option"].bounds),
        )
        for one in declared
    )
    options = table(["option", "meaning", "default", "range"], rows)
    picture = f"![{row.name} with its options](../images/tonemap-{row.name}.jpg)"
    return "\n\n".join([f"## {row.name}", row.summary, options, picture, module_text(row)])


def metrics() -> str:
    rows = (
        (
            named(row),
            row.summary,
            row.domain,
            row.settings,
            row.unit or "none",
            "higher" if row.higher_is_better else "lower",
            "yes" if row.needs_protocol else "no",
            row.cost,
        )
        for row in METRICS.values()
    )
    head = [
        "name",
        "what it measures",
        "compared as",
        "settings",
        "unit",
        "better",
        "needs `--protocol`",
        "cost",
    ]
    lead = (
        "Scores are comparable only when name, settings and protocol are the same; `openhdr metrics` prints all "
        "three. `--protocol abs:PEAK` says that the value 1.0 is PEAK cd/m2; `--protocol liu2020` scales each "
        "picture by itself to 1..999 cd/m2. `NAME@shortest` is a metric of light divided by the level where the "
        "bracket's shortest frame clips, then clipped to 0..1: the scale of the benchmark's pages. `--shortest EV` "
        "says which frame that is; for brackets of `openhdr simulate` it is known."
    )
    details = (f"## {row.name}\n\n{module_text(row)}" for row in METRICS.values())
    return page("Metrics", lead, table(head, rows), *details)


def module_text(row: Row) -> str:
    """What the item's file says about itself, as it stands there; read without importing it.

    Where a file holds several items of a table, what the item's function says.
    """
    module, attribute = row.target.split(":")
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise SystemExit(f"make_reference: the row '{row.name}' names {module}, which is not there")
    tree = ast.parse(Path(spec.origin).read_text())
    named = (one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == attribute)
    shared = sum(row.target.startswith(f"{module}:") for row in METRICS.values()) > 1
    text = ast.get_docstring(next(named) if shared else tree)
    return f"```text\n{text}\n```"


def models() -> str:
    rows = (
        (
            named(row),
            row.summary,
            row.purpose,
            row.frames_text,
            f"{row.params:,}",
            f"{row.gmacs:g}",
            weights_of(row.name),
            row.paper,
        )
        for row in MODELS.values()
    )
    head = ["name", "what it is", "task", "frames", "params", "GMACs", "weights", "paper"]
    lead = (
        "Networks need the torch extra: `pip install 'openhdr[torch]'`. GMACs are counted by the challenge's rule at "
        "1060x1900. `openhdr.models.load(name, weights)` also reads the authors' own checkpoints."
    )
    return page("Models", lead, table(head, rows), weights())


def weights_of(name: str) -> str:
    return ", ".join(f"`{row.name}`" for row in WEIGHTS.values() if row.network == name) or "none shipped"


def weights() -> str:
    if not WEIGHTS:
        return "## Weights\n\nNone are shipped with this version."
    rows = (
        (
            named(row),
            f"`{row.network}`",
            row.licence,
            row.training_data,
            ", ".join(f"{name} {value:g}" for name, value in row.scores.items()),
        )
        for row in WEIGHTS.values()
    )
    return "## Weights\n\n" + table(["name", "network", "licence", "training data", "scores"], rows)


def formats() -> str:
    rows = (
        (
            named(row),
            row.summary,
            " ".join(f"`{one}`" for one in row.extensions),
            "yes" if row.writable else "no",
            f"`{row.extra}` extra" if row.extra else "",
        )
        for row in FORMATS.values()
    )
    lead = (
        "A file is read by the format whose signature its first bytes carry, whatever its name says. The format of "
        "an output file is chosen by its extension."
    )
    details = (f"## {row.name}\n\n{module_text(row)}" for row in FORMATS.values())
    return page(
        "File formats", lead, table(["name", "holds", "extensions", "written", "needs"], rows), *details
    )


def data() -> str:
    rows = (
        (named(row), row.summary, ", ".join(f"`{one}`" for one in row.splits), row.paper or "ours")
        for row in DATASETS.values()
    )
    cases = (
        (named(row), row.summary)
        for row in (*CASES.values(), *DATASET_CASES.values(), *PHOTO_CASES.values(), *PICTURE_CASES.values())
    )
    return page(
        "Data",
        "openhdr downloads nothing; point it to the folders that you have.",
        "## Dataset layouts: `openhdr.data.readers.open_dataset(kind, folder, split)`",
        table(["kind", "what it holds", "splits", "source"], rows),
        "## Bench cases: `openhdr bench`",
        table(["name", "what it runs on"], cases),
    )


def papers() -> str:
    """Every row of every table of the papers: what was printed, and the command that makes it or why none does."""
    from openhdr.bench.paper import PAPERS, load_paper

    parts = []
    for name in PAPERS:
        paper = load_paper(name)
        parts.append(f"## {paper.title}\n\n`openhdr bench paper {name} --data FOLDER`")
        for one in paper.tables:
            words = " ".join(filter(None, (one.why, one.note)))
            split = f", split `{one.split}`" if one.split else ""
            scored = f" `openhdr bench {one.case}`{split}." if one.case else ""
            part = f"### {name}, table {one.number}: {one.title}\n\n{words}{scored}"
            if one.rows:
                heads = ["row", *(f"{column}, printed" for column in one.columns), "made by"]
                rows = ((row.name, *row.printed, row.how if row.why else f"`{row.how}`") for row in one.rows)
                part += "\n\n" + table(heads, rows)
            parts.append(part)
    lead = (
        "What the papers print, row by row. `openhdr bench paper NAME --data FOLDER` scores the rows whose weights "
        "are there and prints ours beside the paper's. `--weights NAME=FILE` gives the weights of a row or of a "
        "network, `--program NAME=COMMAND` a row of a program outside. Scores of the paper and ours are of other "
        "scenes, as each table says."
    )
    return page("The five papers", lead, *parts)


# --- Python ----------------------------------------------------------------------------------------------

FUNCTIONS = (
    "openhdr.read",
    "openhdr.write",
    "openhdr.merge",
    "openhdr.expand",
    "openhdr.tonemap",
    "openhdr.metrics.evaluate",
    "openhdr.metrics.scores",
    "openhdr.models.load",
)
CLASSES = ("openhdr.Image", "openhdr.Exposure")


def python() -> str:
    errors = inspect.getdoc(importlib.import_module("openhdr.core.errors")) or ""
    return page(
        "Python",
        "`import openhdr` does no work: every name is loaded on first use.",
        *(function(name) for name in FUNCTIONS),
        *(container(name) for name in CLASSES),
        f"## Errors\n\n```text\n{errors}\n```",
    )


def resolve(name: str) -> Callable:
    found = openhdr
    for part in name.split(".")[1:]:
        found = getattr(found, part)
    return found


def function(name: str) -> str:
    target = resolve(name)
    signature = str(inspect.signature(target)).replace("'", "")
    return f"## {name}\n\n```python\n{name}{signature}\n```\n\n```text\n{inspect.getdoc(target)}\n```"


def container(name: str) -> str:
    return f"## {name}\n\n```text\n{inspect.getdoc(resolve(name))}\n```"


PAGES = {
    "commands.md": commands,
    "methods.md": methods,
    "operators.md": operators,
    "metrics.md": metrics,
    "models.md": models,
    "formats.md": formats,
    "data.md": data,
    "papers.md": papers,
    "python.md": python,
}


def main() -> None:
    texts = {name: make() for name, make in PAGES.items()}
    paths = {path.name: path for path in FOLDER.glob("*.md")}
    if "--check" in sys.argv[1:]:
        stale = [name for name in texts if name not in paths or paths[name].read_text() != texts[name]]
        stale += sorted(name for name in set(paths) - set(texts) if NOTE in paths[name].read_text())
        if stale:
            sys.exit(f"docs/reference is stale: {', '.join(stale)}; run: make docs")
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
