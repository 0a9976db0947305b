"""From the words of a command to a case: a named one, a folder of brackets, or a .toml file.

title = "My camera"                     # optional, as is everything but [[methods]]
description = "Ten brackets of my kitchen"
scenes = "brackets"                     # a folder of simulated brackets, from the file's own
metrics = ["psnr-mu@shortest", "psnr-mu", "hdr-vdp-2@shortest"]
protocol = "liu2020"

[[methods]]
name = "mle"                            # what the report calls it

[[methods]]
name = "still"
method = "mle"                          # task, method and summary as in bench.case.Setting;
deghost = false                         # every other key as in the task's options: pipeline.MergeOptions, ...
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from openhdr.bench import CASES, DATASET_CASES, PHOTO_CASES, PICTURE_CASES
from openhdr.bench.case import DEFAULT_COLUMNS, DEFAULT_PROTOCOL, Case
from openhdr.bench.datasets import bracket_folder_case, dataset_case
from openhdr.bench.methods.method_options import typed_options
from openhdr.bench.methods.settings import OPTIONS, Setting, merge_settings, parse_setting
from openhdr.bench.named_cases import folder_case, scene_entries
from openhdr.core.config import checked
from openhdr.core.errors import FileError, RequestError, unknown_name
from openhdr.data.dataset import subfolders
from openhdr.data.simulated import FACTS
from openhdr.metrics import parse_column
from openhdr.metrics.protocol import PPD

_KEYS = {
    "title": str,
    "description": str,
    "scenes": str,
    "metrics": tuple[Any, ...],
    "protocol": str,
    "ppd": float,
    "methods": tuple[Any, ...],
}
_METHOD_KEYS = tuple(field.name for field in fields(Setting) if field.name != "options")


@dataclass(frozen=True)
class CaseSource:
    """What `load_case` takes, as plain values, so that other processes can load the same case."""

    name_or_path: str
    data: str | None
    work: str
    split: str | None = None
    crop: int = 0

    @staticmethod
    def of(name_or_path: str, data: Path | None, work: Path, split: str | None = None) -> CaseSource:
        """As other processes find it: files and folders by their whole paths."""
        named = name_or_path in (*CASES, *DATASET_CASES) or not os.path.exists(name_or_path)
        return CaseSource(
            name_or_path if named else os.path.abspath(name_or_path),
            os.path.abspath(data) if data else None,
            os.path.abspath(work),
            split,
        )

    def load(self) -> Case:
        data = Path(self.data) if self.data else None
        return load_case(self.name_or_path, data, Path(self.work), self.split, self.crop)


def load_case(
    name_or_path: str, data: Path | None, work: Path, split: str | None = None, crop: int = 0
) -> Case:
    """The case of a row of DATASET_CASES or CASES, of a .toml file, or of a folder of brackets; names come first.

    data: folder of what a named case or a .toml file needs. work: a folder that a case may build its scenes
    in. split, crop: of a dataset, see `datasets.Cut`. Raises RequestError for an unknown name and FileError for an
    unusable file.
    """
    if name_or_path in DATASET_CASES:
        return dataset_case(DATASET_CASES[name_or_path], data, split, crop)
    if split:
        raise RequestError(
            f"`split={split}`: only datasets have splits ({', '.join(DATASET_CASES)}); leave it out"
        )
    if name_or_path in CASES:
        return CASES[name_or_path].load()(data, work)
    path = Path(name_or_path)
    if path.suffix == ".toml":
        return case_of_file(path, data)
    if path.is_dir():
        if data is not None:
            raise RequestError(f"the case is the folder {path} itself; leave `data` out")
        return case_of_folder(path)
    raise unknown_name(
        "bench case",
        name_or_path,
        [*CASES, *DATASET_CASES, *PHOTO_CASES, *PICTURE_CASES, "a folder of brackets", "a .toml file"],
    )


def case_of_folder(folder: Path) -> Case:
    """Of brackets that `openhdr simulate` made, or of photos with a truth beside them."""
    simulated = any((one / FACTS).is_file() for one in (folder, *subfolders(folder)))
    return folder_case(folder) if simulated else bracket_folder_case(folder)


def narrowed(case: Case, methods: Sequence[str], scenes: Sequence[str], metrics: Sequence[str]) -> Case:
    """The case with only the named methods, scenes and metrics; nothing named = all.

    A method that the case does not have may be named with options: `mle:align=none`.
    """
    if methods:
        known, direct = {setting.name: setting for setting in case.settings}, case.frames_as_they_are
        parsed = [
            known.get(m) or parse_setting(m, direct)
            if direct or ":" in m
            else _pick("method", m, known.values())
            for m in methods
        ]
        case = replace(case, settings=tuple(parsed))
    if scenes:
        case = replace(case, scenes=tuple(_pick("scene", name, case.scenes) for name in scenes))
    if metrics:
        own = {column.key: column for column in case.columns}  # with the case's protocols
        case = replace(case, columns=tuple(own.get(name) or parse_column(name) for name in metrics))
    return case


def _pick(kind: str, name: str, items: Iterable[Any]) -> Any:
    found = {item.name: item for item in items}
    if name not in found:
        raise unknown_name(kind, name, found)
    return found[name]


def case_of_file(path: Path, data: Path | None) -> Case:
    """Of a .toml file. data: the folder of its scenes; None = as the file says. Raises FileError."""
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileError(
            path, "does not exist", "name a case file, a folder of brackets or a named case"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FileError(path, f"is not a case ({error})", "see the documentation of bench cases") from error
    for key, value in facts.items():
        try:
            if key not in _KEYS:
                raise unknown_name("key", key, _KEYS)
            checked(key, value, _KEYS[key])
        except RequestError as error:
            raise FileError(path, str(error)) from error
    metrics = facts.get("metrics")
    settings, notes = merge_settings()
    if "methods" in facts:
        settings, notes = tuple(_setting(path, row) for row in facts["methods"]), ()
    return Case(
        path.stem,
        facts.get("title", path.stem),
        facts.get("description", ""),
        scene_entries(data or path.parent / facts.get("scenes", ".")),
        settings,
        tuple(parse_column(str(metric)) for metric in metrics) if metrics else DEFAULT_COLUMNS,
        facts.get("protocol", DEFAULT_PROTOCOL),
        float(facts.get("ppd", PPD)),
        notes,
    )


def _setting(path: Path, row: Any) -> Setting:
    if not isinstance(row, dict) or "name" not in row:
        raise FileError(path, "has a method without a name", 'write name = "..." in each [[methods]]')
    own: dict[str, Any] = {key: str(value) for key, value in row.items() if key in _METHOD_KEYS}
    texts = {key: str(value) for key, value in row.items() if key not in own}
    try:
        setting = Setting(**own)
        return replace(setting, options=typed_options(OPTIONS[setting.task], texts))
    except RequestError as error:
        raise FileError(path, f"method '{row['name']}' cannot be used: {error}") from error
