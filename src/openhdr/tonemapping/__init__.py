"""Tone mapping, one row an operator, and `tonemap`, which applies one to an Image.

An operator is a pure function `(linear, options, dtype) -> display`. linear: (H, W, 3) float32, linear Rec.709,
>= 0, finite, any scale. display: (H, W, 3) sRGB-encoded, float32 0..1, or that times 255 and rounded as uint8, by
`dtype`; no further gamma. `options` is the operator's frozen dataclass (`tonemapping/operator_options.py`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from openhdr.core.errors import FileError, RequestError
from openhdr.core.options import checked
from openhdr.core.table import Row, Table
from openhdr.tonemapping.operator_options import (
    DragoOptions,
    DurandOptions,
    ExposureOptions,
    HableOptions,
    LiangOptions,
    LocalLaplacianOptions,
    Look,
    Mantiuk08Options,
    ReinhardLocalOptions,
    ReinhardOptions,
)

if TYPE_CHECKING:  # help texts list the operators, and have no time for NumPy
    from openhdr.core.image import Image


@dataclass(frozen=True)
class OperatorRow(Row):
    """options: the dataclass of what it takes. paper: where it is published, empty where it is plain practice.

    local: whether a pixel's tone depends on its neighbourhood.
    scale_invariant: whether a brighter or darker scaled copy of the scene gives the same picture.
    """

    options: type[Look] = Look
    paper: str = ""
    local: bool = False
    scale_invariant: bool = True


OPERATORS: Table[OperatorRow] = Table(
    "tone mapping operator",
    OperatorRow(
        "local-laplacian",
        "A camera's curve with local contrast kept; night stays night, skies keep their colour.",
        "openhdr.tonemapping.local_laplacian:local_laplacian",
        paper="Paris et al., SIGGRAPH 2011; Aubry et al., TOG 2014",
        options=LocalLaplacianOptions,
        local=True,
        scale_invariant=False,  # 1.0 is where a photo clips: what lies far below it is dark on purpose
    ),
    OperatorRow(
        "reinhard",
        "Photographic tone reproduction, one curve for the whole picture.",
        "openhdr.tonemapping.reinhard:reinhard",
        options=ReinhardOptions,
        paper="Reinhard et al., SIGGRAPH 2002",
    ),
    OperatorRow(
        "reinhard-local",
        "Photographic tone reproduction with dodging and burning.",
        "openhdr.tonemapping.reinhard_local:reinhard_local",
        options=ReinhardLocalOptions,
        paper="Reinhard et al., SIGGRAPH 2002",
        local=True,
    ),
    OperatorRow(
        "drago",
        "Adaptive logarithmic mapping.",
        "openhdr.tonemapping.drago:drago",
        options=DragoOptions,
        paper="Drago et al., Eurographics 2003",
    ),
    OperatorRow(
        "durand",
        "Bilateral filter: large-scale contrast compressed, detail kept.",
        "openhdr.tonemapping.durand:durand",
        options=DurandOptions,
        paper="Durand and Dorsey, SIGGRAPH 2002",
        local=True,
    ),
    OperatorRow(
        "hable",
        "Filmic curve with toe and shoulder.",
        "openhdr.tonemapping.hable:hable",
        options=HableOptions,
        paper="Hable, Game Developers Conference 2010",
    ),
    OperatorRow(
        "mantiuk08",
        "The curve that loses least visible contrast on a display.",
        "openhdr.tonemapping.mantiuk08:mantiuk08",
        options=Mantiuk08Options,
        paper="Mantiuk, Daly and Kerofsky, SIGGRAPH 2008",
    ),
    OperatorRow(
        "liang",
        "Hybrid L1-L0 layer decomposition; the one of the tm-psnr and tm-ssim metrics.",
        "openhdr.tonemapping.liang:liang",
        options=LiangOptions,
        paper="Liang et al., CVPR 2018",
        local=True,
        scale_invariant=False,  # the logarithm's offset of 1e-4 is absolute
    ),
    OperatorRow(
        "exposure",
        "Scale and clip: the scene as one exposure shows it.",
        "openhdr.tonemapping.exposure:exposure",
        options=ExposureOptions,
    ),
)

DEFAULT = "local-laplacian"
"""Chosen by looking: seven real brackets, the demo and fourteen public scenes beside enfuse and the other
operators. It keeps night dark, skies blue and sunlight golden where `drago` greys or bleaches them, shows what
is behind windows where `mantiuk08`, `hable` and `reinhard` bleach it, and has neither the halos of `reinhard-
local` nor the exaggeration of `liang`."""


def tonemap(
    image: Image,
    operator: str | Path | None = None,
    options: Look | Mapping[str, float] | None = None,
    dtype: Literal["float32", "uint8"] = "float32",
) -> Image:
    """Turn a linear HDR image into one for a display; exposure, metadata and notes are kept.

    operator: a name in OPERATORS, a preset file (.toml), or a name with values: "drago:bias=0.9,exposure=1"; None =
    DEFAULT. options: the operator's own, or some of them by name, which go before a preset's.
    Returns an sRGB Image, float32 0..1 or uint8. Raises RequestError for an unknown operator or option, a value out of
    bounds, an image that is already display-encoded, or pixels that are negative or not finite; FileError for a preset.
    """
    import numpy as np

    row, asked = parse(operator)
    if isinstance(options, Look):
        if not isinstance(options, row.options):
            raise RequestError(
                f"`options` are {type(options).__name__}; '{row.name}' takes {row.options.__name__}"
            )
        asked = checked(options)
    elif options:
        asked = changed(row, asked, options)
    if image.encoding != "linear" or image.pixels.dtype != np.float32:
        raise RequestError(
            f"tone mapping needs a linear float32 image; got {image.encoding} {image.pixels.dtype}, "
            "which is ready for a display as it is"
        )
    if dtype not in ("float32", "uint8"):
        raise RequestError(f"tone mapping dtype is '{dtype}'; expected 'float32' or 'uint8'")
    if not 0 <= image.pixels.min() <= image.pixels.max() < np.inf:  # false for NaN too
        raise RequestError("tone mapping needs finite pixels >= 0; clip or mend the image first")
    if isinstance(asked, LocalLaplacianOptions) and asked.luminance is None:
        asked = replace(asked, luminance=image.metadata.get("white_luminance"))
    display = row.load()(image.pixels, asked, getattr(np, dtype))
    return image.with_pixels(display, encoding="srgb")


def parse(operator: str | Path | None) -> tuple[OperatorRow, Look]:
    """An operator and its options by name, by `name:key=value,...` or by a preset file.

    Raises RequestError or FileError.
    """
    text = str(operator or DEFAULT)
    if text.endswith(".toml"):
        return read_preset(Path(text))
    name, _, values = text.partition(":")
    row = OPERATORS[name]
    given: dict[str, float] = {}
    for pair in values.split(",") if values else ():
        key, _, value = pair.partition("=")
        try:
            given[key.strip().replace("-", "_")] = float(value)
        except ValueError as error:
            raise RequestError(f"`operator={text}`: expected {name}:key=number,key=number") from error
    return row, changed(row, row.options(), given)


def changed(row: OperatorRow, options: Look, given: Mapping[str, float]) -> Look:
    """An operator's options with some of them replaced. Raises RequestError for what it does not take."""
    taken = [one.name for one in fields(row.options) if "option" in one.metadata]
    for name in given:
        if name not in taken:
            raise RequestError(f"'{row.name}' takes no `{name}`; it takes {', '.join(taken)}")
    return checked(replace(options, **given))


def read_preset(path: Path) -> tuple[OperatorRow, Look]:
    """A preset: a TOML file with `operator = "name"` and options of that operator. Raises FileError."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise FileError(path, f"is no TOML ({error})") from error
    name = content.pop("operator", None)
    if not isinstance(name, str):
        raise FileError(path, "names no operator", 'begin it with: operator = "drago"')
    try:
        row = OPERATORS[name]
        return row, changed(row, row.options(), content)
    except RequestError as error:
        raise FileError(path, str(error)) from error


def preset(row: OperatorRow, options: Look) -> str:
    """The text of a preset file: the operator and what differs from its defaults."""
    lines = [f'operator = "{row.name}"']
    for one in fields(options):
        value = getattr(options, one.name)
        if "option" in one.metadata and value != one.default:
            lines.append(f"{one.name} = {float(value)}")
    return "\n".join(lines) + "\n"
