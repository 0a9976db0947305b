"""The tables of the five papers, ours beside what they printed: papers/PAPER.toml, filled in by running its rows.

title = "Liu et al., ADNet, CVPRW 2021"

[[tables]]                     # PaperTable; with `why` instead of rows where nothing of it can be had
number = "2"
case = "hdm"                   # a row of DATASET_CASES
split = "adnet"
columns = ["ntire-psnr", "ntire-psnr-mu", "gmacs", "params-k", "time-s"]

[[tables.rows]]                # PaperRow
name = "Ours w/ TTA"
printed = ["39.9167", "37.3548", ...]
method = "adnet"               # a network: its weights make the row
train = "recipes/adnet.toml"
"""

from __future__ import annotations

import os
import shlex
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from openhdr.bench import DATASET_CASES
from openhdr.bench.case import Case
from openhdr.bench.load_case import CaseSource
from openhdr.bench.methods.settings import Setting, parse_program
from openhdr.bench.run import Extent, run
from openhdr.bench.trial import Make
from openhdr.core.config import plain
from openhdr.core.errors import FileError, unknown_name
from openhdr.data.dataset import first_folder
from openhdr.metrics import METRICS, Column
from openhdr.models import MODELS, WEIGHTS

PAPERS = ("adnet", "gsanet", "eapnet", "two-stage", "stack-itm")
FACTS = ("gmacs", "params-k", "time-s")
"""Columns that are no scores: 1e9 multiply-adds at 1060x1900 by the challenge's rule, thousands of parameters, seconds
an image.
"""
VARIANT = "network.variant."
CHALLENGE_SIZE = (1060, 1900)


@dataclass(frozen=True)
class PaperRow:
    """printed: a text a column, as the paper has it; empty = it printed none.

    method: the network that makes the row, augment: with test-time augmentation. main: the network as published, for
    which weights that come with openhdr stand where no others are named. train: recipe and changes that train it.
    program: a program outside makes it, of the row's name. why: nothing makes it, and why.
    """

    name: str
    printed: tuple[str, ...]
    method: str = ""
    augment: bool = False
    main: bool = False
    train: str = ""
    program: bool = False
    why: str = ""

    @property
    def variant(self) -> dict[str, Any]:
        """Options of the network that its training names."""
        words = shlex.split(self.train)
        changes = (word.removeprefix(VARIANT).split("=", 1) for word in words if word.startswith(VARIANT))
        found: dict[str, Any] = {}
        for key, text in changes:
            try:
                found[key] = tomllib.loads(f"value = {text}")["value"]
            except tomllib.TOMLDecodeError:
                found[key] = text
        return found

    @property
    def how(self) -> str:
        """What makes the row, or why nothing does."""
        if self.why:
            return self.why
        if self.program:
            return f'--program "{self.name}=... {{inputs}} ... {{output}}"'
        trained = f"openhdr train {self.train}, then " if self.train else ""
        return f'{trained}--weights "{self.name}=FILE"'


@dataclass(frozen=True)
class PaperTable:
    """case, split, crop, photo: what is scored, see `dataset_case` and `NetworkOptions`. why: nothing of it is made."""

    number: str
    title: str
    case: str = ""
    split: str | None = None
    crop: int = 0
    photo: str = "reference"
    columns: tuple[str, ...] = ()
    note: str = ""
    why: str = ""
    rows: tuple[PaperRow, ...] = ()


@dataclass(frozen=True)
class Paper:
    """A paper's tables, by its system's name."""

    name: str
    title: str
    tables: tuple[PaperTable, ...]


@dataclass(frozen=True)
class Filled:
    """A table with our values. ours: row name -> column -> value, where there is one. weights: row name -> whose.

    notes: what a reader should know of the run.
    """

    table: PaperTable
    ours: dict[str, dict[str, float]] = field(default_factory=dict)
    weights: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def facts(self) -> dict[str, Any]:
        """Plain values: for every row what was printed, what is ours, and how it is made."""
        rows = [
            {
                "name": row.name,
                "printed": dict(zip(self.table.columns, row.printed, strict=True)),
                "ours": self.ours.get(row.name, {}),
                "weights": self.weights.get(row.name, ""),
                "how": row.how,
            }
            for row in self.table.rows
        ]
        table = {name: value for name, value in vars(self.table).items() if name != "rows"}
        return plain({**table, "notes": self.notes, "rows": rows})


def load_paper(name: str) -> Paper:
    """The tables of a paper. Raises RequestError for an unknown name."""
    if name not in PAPERS:
        raise unknown_name("paper", name, PAPERS)
    facts = tomllib.loads(
        resources.files("openhdr.bench").joinpath("papers", f"{name}.toml").read_text("utf-8")
    )
    tables = []
    for one in facts["tables"]:
        rows = tuple(PaperRow(**{**row, "printed": tuple(row["printed"])}) for row in one.pop("rows", ()))
        tables.append(PaperTable(**{**one, "columns": tuple(one.get("columns", ())), "rows": rows}))
    return Paper(name, facts["title"], tuple(tables))


@dataclass(frozen=True)
class Given:
    """What a user gives to fill tables with.

    data: the dataset's folder, or one that holds a folder for each case by its name; None = costs alone. weights: of
    rows or networks, by name. programs: `NAME=COMMAND` of rows. scenes: only these. run: of networks, as options.
    make: gives who carries the trials of a case out; None = this process.
    """

    data: Path | None = None
    weights: Mapping[str, str] = field(default_factory=dict)
    programs: Sequence[str] = ()
    scenes: tuple[str, ...] = ()
    run: Mapping[str, Any] = field(default_factory=dict)
    make: Callable[[CaseSource, Case], Make] | None = None


def fill(table: PaperTable, given: Given) -> Filled:
    """Our values for a table: costs of every network, scores of rows whose weights or program are there."""
    if table.why:
        return Filled(table)
    settings, weights = settings_of(table, given)
    ours = {row.name: costs_of(row, table.columns) for row in table.rows}
    if given.data is None or not settings:
        said = "No row has its weights."
        if given.data is None:
            said = "No data were given, so the scores are the paper's alone; give the folder as `data`."
        return Filled(table, ours, weights, (said,))
    row = DATASET_CASES[table.case]
    folder = first_folder(given.data, (row.name, row.dataset)) or given.data
    try:
        source = CaseSource(row.name, os.path.abspath(folder), "", table.split, table.crop)
        case = source.load()
    except FileError as error:
        return Filled(table, ours, weights, (f"Not scored: {error}",))
    scenes = tuple(one for one in case.scenes if not given.scenes or one.name in given.scenes)
    if not scenes:
        return Filled(
            table, ours, weights, (f"Not scored: none of the scenes {', '.join(given.scenes)} is in it.",)
        )
    named = {column.metric: column for column in case.columns}
    columns = tuple(named.get(key, Column(key)) for key in table.columns if key in METRICS)
    chosen = replace(case, settings=tuple(settings), columns=columns, scenes=scenes)
    make = given.make(source, chosen) if given.make else None
    results, _ = run(chosen, Extent(pictured=(), timed="time-s" in table.columns), make)
    for one in results.means("all"):
        found = {**one["scores"], "time-s": one["time_s"]}
        ours[one["method"]] |= {key: found[key] for key in table.columns if found.get(key) is not None}
    failed = tuple(f"{run.method}, {run.scene}: {run.error}" for run in results.failures)
    return Filled(table, ours, weights, (*(note for note in case.notes if "scenes" in note), *failed))


def settings_of(table: PaperTable, given: Given) -> tuple[list[Setting], dict[str, str]]:
    """The rows that can be run, and whose weights each has."""
    programs = {one.name: one for one in map(parse_program, given.programs)}
    settings, whose = [], {}
    for row in table.rows:
        if row.name in programs:
            alone = {"photo": table.photo} if table.photo != "reference" else {}
            own = programs[row.name]
            settings.append(replace(own, options={**own.options, **alone}))
            whose[row.name] = "program"
        if not row.method:
            continue
        file = given.weights.get(row.name) or (
            given.weights.get(row.method) if row.main or not row.train else None
        )
        shipped = next((one.name for one in WEIGHTS.values() if one.network == row.method), None)
        chosen = file or (shipped if row.main else None)
        if chosen is None:
            continue
        options = {**given.run, "weights": chosen, "augment": row.augment}
        if MODELS[row.method].task == "expand":
            options["photo"] = table.photo
        settings.append(Setting(row.name, row.train, "network", row.method, options))
        whose[row.name] = file or f"{shipped}, shipped: small training on simulated brackets"
    return settings, whose


def costs_of(row: PaperRow, columns: tuple[str, ...]) -> dict[str, float]:
    """What of a network can be counted without data."""
    if not row.method or MODELS[row.method].task != "merge" or not {"gmacs", "params-k"} & set(columns):
        return {}
    import torch

    from openhdr.models import load
    from openhdr.models.cost import challenge_macs

    net = load(row.method, **row.variant)
    with torch.device("meta"):
        size = CHALLENGE_SIZE
        inputs = (torch.empty(1, 3, 3, *size), torch.empty(1, 3))
    macs, parameters = challenge_macs(net, *inputs)
    used = MODELS[row.method].params if not row.variant else parameters
    found = {"gmacs": macs / 1e9, "params-k": used / 1e3}
    return {key: found[key] for key in columns if key in found}
