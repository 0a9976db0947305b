"""What the page can ask for, and the command line that does the same.

The page sends values by name. They are checked here, because a request may come from anywhere: only what is listed can
be asked for, and nothing that names a file.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePath
from shlex import quote
from typing import Any, Literal

from openhdr.alignment import ALIGNERS
from openhdr.alignment import DEFAULT as DEFAULT_ALIGNER
from openhdr.color.primaries import PRIMARIES
from openhdr.core.errors import RequestError, unknown_name
from openhdr.expansion import DEFAULT as DEFAULT_EXPANSION
from openhdr.expansion import INVERSE_TONE_MAPPERS
from openhdr.io import FORMATS
from openhdr.io.metadata.cicp import TRANSFERS
from openhdr.merging import DEFAULT as DEFAULT_MERGER
from openhdr.merging import MERGERS
from openhdr.models import MODELS
from openhdr.pipeline.pipeline_options import DeliveryOptions
from openhdr.tonemapping import OPERATORS

Kind = Literal["choice", "flag", "yes-no", "number", "text"]
MOST_FRAMES = 32
_STORED = {one.name: one for one in fields(DeliveryOptions)}


@dataclass(frozen=True)
class Asked:
    """Something that can be asked for. name: of the library's option. label, help: for the page.

    A flag is on or not given; yes-no has a default of its own. choices: of a choice, [value, what it is] each; "" = the
    default. bounds: of a number. idle_with: the option that makes it useless, "" = none.
    """

    name: str
    label: str
    kind: Kind
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    bounds: tuple[float, float] = (-1e9, 1e9)
    idle_with: str = ""

    def checked(self, value: Any) -> Any:
        """The value as the library takes it. Raises RequestError."""
        if self.kind == "choice":
            known = [one for one, _ in self.choices]
            if not isinstance(value, str) or value not in known:
                raise unknown_name(self.label.lower(), str(value), known)
        elif self.kind in ("flag", "yes-no"):
            if not isinstance(value, bool) or (self.kind == "flag" and not value):
                raise RequestError(f"`{self.name}={value}`: expected yes or no")
        elif self.kind == "text":
            text = str(value).strip()
            try:
                value = text if text == "auto" else [float(part) for part in text.split(",")]
            except ValueError as error:
                raise RequestError(
                    f"`{self.name}={text[:40]}`: expected numbers with commas between, or auto"
                ) from error
        elif not isinstance(value, int | float) or not self.bounds[0] <= value <= self.bounds[1]:
            raise RequestError(
                f"`{self.name}={value}`: expected a number from {self.bounds[0]:g} to {self.bounds[1]:g}"
            )
        return value


def _choices(default: str, rows: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return ("", f"Default ({default})"), *((name, row.summary) for name, row in rows.items())


def _methods(task: str, classical: Mapping[str, Any]) -> dict[str, Any]:
    """The methods that this installation can run, by name."""
    torch = importlib.util.find_spec("torch") is not None
    networks = {row.name: row for row in MODELS.values() if torch and row.task == task}
    return {**classical, **networks}


def merge_form() -> tuple[Asked, ...]:
    methods = _methods("merge", MERGERS)
    responses = (
        ("", "Measured on the photos"),
        ("srgb", "sRGB curve"),
        ("linear", "Linear"),
        ("gamma:2.2", "Gamma 2.2"),
        ("calibrate", "Measured, even if no better than sRGB"),
    )
    return (
        Asked("method", "Method", "choice", choices=_choices(DEFAULT_MERGER, methods)),
        Asked("align", "Alignment", "choice", choices=_choices(DEFAULT_ALIGNER, ALIGNERS)),
        Asked("reference", "Reference frame", "number", "Its geometry is kept.", bounds=(1, MOST_FRAMES)),
        Asked("response", "Camera response", "choice", choices=responses),
        Asked("deghost", "Leave out what moved", "yes-no"),
        Asked(
            "ev", "Exposures in stops", "text", "One a photo, such as -2,0,2; auto = measured in the pixels."
        ),
    )


def expand_form() -> tuple[Asked, ...]:
    methods = _methods("expand", INVERSE_TONE_MAPPERS)
    return (Asked("method", "Method", "choice", choices=_choices(DEFAULT_EXPANSION, methods)),)


def tone_form(operator: str) -> tuple[Asked, ...]:
    """The options of an operator; None as a value = from the picture."""
    declared = [one for one in fields(OPERATORS[operator].options) if "option" in one.metadata]
    return tuple(
        Asked(
            one.name,
            one.name.replace("_", " ").capitalize(),
            "number",
            one.metadata["option"].help,
            bounds=one.metadata["option"].bounds,
        )
        for one in declared
    )


def file_form(suffix: str) -> tuple[Asked, ...]:
    """What can be asked of a file for HDR light."""
    bounds = {name: one.metadata["option"].bounds for name, one in _STORED.items()}

    def number(name: str, label: str) -> Asked:
        return Asked(name, label, "number", bounds=bounds[name])

    quality, white = number("quality", "Quality"), number("white", "Light shown as white")
    primaries = Asked("primaries", "Primaries", "choice", choices=tuple((name, name) for name in PRIMARIES))
    transfer = Asked("transfer", "Curve", "choice", choices=tuple((name, name.upper()) for name in TRANSFERS))
    by_suffix: dict[str, tuple[Asked, ...]] = {
        ".exr": (primaries, Asked("full_float", "32-bit floats", "flag")),
        ".hdr": (primaries,),
        ".tif": (primaries,),
        ".jpg": (
            *(quality, primaries, white, number("headroom", "Stops over white")),
            number("map_quality", "Quality of the gain map"),
        ),
        ".avif": (quality, white, transfer, Asked("gain_map", "Gain map instead", "flag")),
        ".jxl": (quality, white, transfer, Asked("lossless", "Lossless floats", "flag")),
        ".png": (white, transfer),
        ".heic": (quality, white, transfer),
    }
    form = by_suffix.get(suffix, ())
    names = {one.name for one in form}

    def idle_with(name: str) -> str:
        """The flag of this form that leaves another field without effect."""
        return next((one for one in _STORED[name].metadata["option"].idle_with if one in names), "")

    return tuple(replace(one, idle_with=idle_with(one.name)) for one in form)


def stored(suffix: str, given: Any) -> dict[str, Any]:
    """How a file for HDR light is stored, as `DeliveryOptions` takes it. Raises RequestError."""
    asked: dict[str, Any] = {
        name: int(value) if "int" in str(_STORED[name].type) else value
        for name, value in checked(file_form(suffix), given).items()
    }
    DeliveryOptions(**asked).refuse_unused(Path(f"result{suffix}"))
    return asked


def light_formats() -> list[str]:
    """Extensions of the files for HDR light that this installation can write."""
    rows = [row for row in FORMATS.values() if row.light and row.writable]
    return [
        row.extensions[0]
        for row in rows
        if not row.module or importlib.util.find_spec(row.module) is not None
    ]


PICTURE_FORMATS = (".jpg", ".png", ".webp", ".tif")
"""Extensions of files for a tone-mapped picture."""


def checked(form: Sequence[Asked], given: Any) -> dict[str, Any]:
    """What was asked for, without defaults. Raises RequestError for what is not in the form, or does not fit."""
    if not isinstance(given, dict):
        raise RequestError("expected options by name")
    known = {one.name: one for one in form}
    for name in given:
        if name not in known:
            raise unknown_name("option", str(name), known)
    return {
        name: known[name].checked(value) for name, value in given.items() if value is not None and value != ""
    }


def words(options: Mapping[str, Any]) -> list[str]:
    """Options as a command line spells them."""
    spelled = []
    for name, value in options.items():
        flags = _STORED[name].metadata["option"].flags if name in _STORED else ()
        option = flags[0] if flags else f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            spelled.append(option if value else option.replace("--", "--no-"))
        elif isinstance(value, list):
            spelled.append(f"{option}={','.join(f'{one:g}' for one in value)}")
        else:
            spelled += [option, f"{value:g}" if isinstance(value, float) else str(value)]
    return spelled


def command_line(
    command: str, photos: Sequence[str], output: str, options: Mapping[str, Any], more: Sequence[str] = ()
) -> str:
    """The command that makes the same file of the same photos."""
    return " ".join(quote(one) for one in ("openhdr", command, *photos, "-o", output, *words(options), *more))


def operator_text(operator: str, options: Mapping[str, float]) -> str:
    """`drago:bias=0.9`, as --operator takes it."""
    values = ",".join(f"{name}={value:g}" for name, value in options.items())
    return f"{operator}:{values}" if values else operator


def stem_of(name: str) -> str:
    return PurePath(name).stem
