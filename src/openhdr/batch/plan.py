"""What a batch is to make: names, photos and options, as a file (TOML) that can be written, edited and read again."""

from __future__ import annotations

import json
import os
import re
import string
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from openhdr import io
from openhdr.batch.card import brackets_of
from openhdr.core.errors import FileError, RequestError
from openhdr.core.files import natural_order, parsed, write_whole

TEMPLATE = "{date}_{first}-{last}-HDR"
FIELDS = ("date", "time", "first", "last", "count", "number", "camera")
REMEDY = "write one with: openhdr info FOLDER --plan plan.toml"
UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
HEAD = """\
# What `openhdr batch FOLDER -o OUT --plan THIS_FILE` makes. Photos lie in `folder`, or in the FOLDER of the command.
# Two or more photos are merged, one is expanded. Move photos, rename results, add or remove brackets as you like.
# `skip = true` leaves a bracket out. Options of `openhdr merge` for one bracket: options = { ev = "-2,0,2" }
"""
ALONE, TWIN = "belongs to no bracket", "the same shots as RAW"
DOUBTFUL = "doubtful: may belong to {} .. {}"
Option = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Item:
    """One result. name: its path without extension, in the folder of results. photos: paths in the plan's folder.

    skip: why it is left out; "" = it is made. options: of the command that makes it, as the command line spells them.
    """

    name: str
    photos: tuple[str, ...]
    skip: str = ""
    options: dict[str, Option] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """folder: where the photos are."""

    folder: str
    items: tuple[Item, ...]

    @staticmethod
    def of(
        photos: Sequence[io.ImageInfo], folder: str, template: str = TEMPLATE, alone: bool = False
    ) -> Plan:
        """Merge every bracket; of RAW and JPEG of the same shots, the RAW. alone: expand every photo instead.

        folder: all photos are in it; their paths may be relative to it.
        """
        brackets = [] if alone else brackets_of(photos)
        inside = {photo.path for members in brackets for photo in members}
        singles = [
            [photo] for photo in photos if photo.path not in inside and not io.is_result(photo.metadata)
        ]
        twins = _twins(brackets)
        skips = ["" if index not in twins else TWIN for index in range(len(brackets))]
        loose = brackets_of(photos, eager=True) if singles and not alone else []
        doubtful = {
            photo.path: DOUBTFUL.format(members[0].path.name, members[-1].path.name)
            for members in loose
            for photo in members
        }
        skips += ["" if alone else doubtful.get(photo.path, ALONE) for (photo,) in singles]
        named = _Names(folder, template)
        items = [
            Item(named(members), tuple(_inside(folder, photo.path) for photo in members), skip)
            for members, skip in zip([*brackets, *singles], skips, strict=True)
        ]
        return Plan(folder, tuple(items))


def common_folder(paths: Sequence[Path]) -> str:
    """The folder that holds all of these files and folders."""
    absolute = [path.absolute() for path in paths]
    return os.path.commonpath([path if path.is_dir() else path.parent for path in absolute])


def _inside(folder: str, path: Path) -> str:
    return path.absolute().relative_to(folder).as_posix() if "://" not in folder else path.as_posix()


def _twins(brackets: list[list[io.ImageInfo]]) -> set[int]:
    """Indices of brackets that hold, in another format, the shots of one that is RAW, or else comes first."""
    by_shots: dict[tuple[str, ...], list[int]] = {}
    for index, members in enumerate(brackets):
        key = tuple(sorted(photo.path.with_suffix("").as_posix() for photo in members))
        by_shots.setdefault(key, []).append(index)
    return {
        index
        for same in by_shots.values()
        for index in sorted(same, key=lambda i: brackets[i][0].format != "raw")[1:]
    }


class _Names:
    """Names of results by a template; folders of the photos are kept, and a name that is taken gets a number."""

    def __init__(self, folder: str, template: str) -> None:
        self.folder, self.template = folder, template
        self.taken: set[str] = set()
        fields = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
        if fields - set(FIELDS) or "/" in template:
            known = ", ".join(f"{{{name}}}" for name in FIELDS)
            raise RequestError(f"`name='{template}'`: a name, not a path, of text and {known} was expected")

    def __call__(self, members: Sequence[io.ImageInfo]) -> str:
        stems = sorted((photo.path.stem for photo in members), key=natural_order)
        date, _, time = str(members[0].metadata.get("date", "")).partition(" ")
        template = self.template.replace("{first}-{last}", "{first}") if len(stems) == 1 else self.template
        fields = {
            "date": date.replace(":", "-"),
            "time": time.replace(":", "-"),
            "first": stems[0],
            "last": stems[-1],
            "count": str(len(members)),
            "number": f"{len(self.taken) + 1:04d}",
            "camera": str(members[0].metadata.get("model", "")),
        }
        name = template.format(**{key: UNSAFE.sub("_", value) for key, value in fields.items()}).strip("_- .")
        parent = PurePosixPath(_inside(self.folder, members[0].path)).parent
        wanted = (parent / (name or "HDR")).as_posix()
        number, found = 1, wanted
        while found.lower() in self.taken:
            number += 1
            found = f"{wanted}-{number}"
        self.taken.add(found.lower())
        return found


def write_plan(path: Path, plan: Plan) -> None:
    """Write a plan as TOML. Raises FileError, also for a name that no text in UTF-8 can hold."""
    parts = [HEAD, f"folder = {_text(plan.folder)}\n"]
    for item in plan.items:
        photos = ", ".join(_text(photo) for photo in item.photos)
        parts.append(f"\n[[bracket]]\nname = {_text(item.name)}\nphotos = [{photos}]\n")
        if item.skip:
            parts.append(f"skip = true  # {item.skip}; remove this line to make it\n")
        if item.options:
            options = ", ".join(f"{_text(key)} = {_value(value)}" for key, value in item.options.items())
            parts.append(f"options = {{ {options} }}\n")
    try:
        data = "".join(parts).encode()
    except UnicodeEncodeError as error:
        raise FileError(path, "cannot hold a file name that is not UTF-8", "rename the photo") from error
    write_whole(path, data)


def _text(text: str) -> str:
    """A TOML string; JSON's escapes are TOML's, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Option) -> str:
    return _text(value) if isinstance(value, str) else json.dumps(value)


def read_plan(path: Path) -> Plan:
    """A plan as `write_plan` writes it, edited or not. Raises FileError, which names the bracket."""
    content = parsed(path, tomllib.loads, "a plan in TOML", REMEDY)
    unknown = set(content) - {"folder", "bracket"}
    brackets, folder = content.get("bracket", []), content.get("folder", "")
    if unknown or not isinstance(brackets, list) or not isinstance(folder, str):
        what = f"has '{min(unknown)}'" if unknown else "is no plan"
        raise FileError(path, f"{what}; a plan has `folder` and a [[bracket]] for each result", REMEDY)
    items = tuple(_item(path, number, one) for number, one in enumerate(brackets, start=1))
    names = [item.name.lower() for item in items]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FileError(path, f"gives two brackets the name '{twice}'", "rename one")
    return Plan(folder, items)


def _item(path: Path, number: int, one: Any) -> Item:
    def wrong(what: str) -> FileError:
        return FileError(path, f"bracket {number} {what}")

    if not isinstance(one, dict) or set(one) - {"name", "photos", "skip", "options"}:
        raise wrong("has other keys than name, photos, skip and options")
    name, photos, options = one.get("name"), one.get("photos"), one.get("options", {})
    if not isinstance(name, str) or not name or PurePosixPath(name).is_absolute() or ".." in name.split("/"):
        raise wrong("needs a name: that of the result, without extension")
    if not isinstance(photos, list) or not photos or not all(isinstance(photo, str) for photo in photos):
        raise wrong(f"('{name}') needs photos: a list of file names")
    if not isinstance(options, dict) or not all(isinstance(value, Option) for value in options.values()):
        raise wrong(f"('{name}') has options that are no text, number or true")
    skip = one.get("skip", False)
    if not isinstance(skip, bool):
        raise wrong(f"('{name}') needs `skip = true` or none")
    return Item(name, tuple(photos), "left out by the plan" if skip else "", dict(options))
