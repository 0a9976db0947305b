"""What can be asked of every operator. Importing this loads no arithmetic: the command line reads it.

`exposure`, `contrast` and `saturation` mean the same for all. `white` does, too, where an operator has it: stops
over the picture's log-average luminance that are shown as white, None = chosen from the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from openhdr.core.options import option

WHITE_BOUNDS = (0.5, 40.0)


def _saturation(default: float) -> Any:
    return option("Factor on the distance from grey; 0 = black and white.", default, bounds=(0, 4))


def _white() -> Any:
    help = "Stops over the log-average that are shown as white.  [default: from the picture]"
    return option(help, None, bounds=WHITE_BOUNDS)


def _key() -> Any:
    help = (
        "Light that the log-average gets before the curve; 0.18 = middle grey.  [default: from the picture]"
    )
    return option(help, None, bounds=(1e-4, 10))


@dataclass(frozen=True)
class Look:
    """What every operator takes."""

    exposure: float = option(
        "Stops by which the scene is brightened before its curve.", 0.0, bounds=(-30, 30)
    )
    contrast: float = option(
        "Of the picture; black, middle grey and white stay where they are.", 1.0, bounds=(0.25, 4)
    )
    saturation: float = _saturation(1.0)


@dataclass(frozen=True)
class LocalLaplacianOptions(Look):
    """luminance: cd/m2 of the value 1.0, for Python; None = what the picture's metadata says, if anything."""

    white: float | None = _white()
    detail: float = option(
        "Factor on contrasts within an area, up to 1.25 times that in a flat scene, 0.7 in a busy one.",
        1.2,
        bounds=(0, 4),
    )
    edge: float = option("Stops from which a contrast is an edge between areas.", 1.6, bounds=(0.1, 10))
    shadows: float = option(
        "Stops under white at which the darkest hundredth is shown; fewer open the shadows.",
        7.0,
        bounds=(3, 14),
    )
    luminance: float | None = None


@dataclass(frozen=True)
class ReinhardOptions(Look):
    saturation: float = _saturation(0.9)
    white: float | None = _white()
    key: float | None = _key()


@dataclass(frozen=True)
class ReinhardLocalOptions(ReinhardOptions):
    phi: float = option("Sharpening at edges.", 8.0, bounds=(0, 20))
    epsilon: float = option("Contrast at which a neighbourhood stops to grow.", 0.05, bounds=(1e-4, 1))


@dataclass(frozen=True)
class DragoOptions(Look):
    """white_percentile: of the luminances, shown as white where `white` is None; 100 = the maximum, as published.

    least_white: lower limit of that white, as a multiple of the log-average, for Python.
    """

    white: float | None = _white()
    key: float | None = _key()
    bias: float = option("More = darker, with more contrast in the highlights.", 0.85, bounds=(0.5, 0.99))
    white_percentile: float = option(
        "Of the luminances, shown as white; 100 = the maximum.", 99.9, bounds=(50, 100)
    )
    least_white: float = 11.7  # with LOWEST_EXPOSURE the log-average is then just middle grey


@dataclass(frozen=True)
class DurandOptions(Look):
    saturation: float = _saturation(0.85)
    white: float | None = _white()
    base_contrast: float = option(
        "Of the large areas on the screen, as a ratio; 5 in the paper.", 30.0, bounds=(1, 1e4)
    )
    spatial: float = option(
        "Sigma of the bilateral filter as a share of the larger side.", 0.02, bounds=(1e-3, 0.5)
    )
    tonal: float = option("Sigma of the bilateral filter in log10 luminance.", 0.4, bounds=(0.02, 5))
    black_percentile: float = option("Of the large areas, shown black.", 1.0, bounds=(0, 49))
    white_percentile: float = option("Of the large areas, shown white.", 99.5, bounds=(50, 100))


@dataclass(frozen=True)
class HableOptions(Look):
    saturation: float = _saturation(0.9)
    white: float | None = _white()
    key: float = option("Light that the log-average gets before the curve.", 0.18, bounds=(1e-4, 10))


@dataclass(frozen=True)
class Mantiuk08Options(Look):
    """evenness: weight of the pull to an even slope, for Python."""

    white: float | None = _white()
    peak: float = option("White of the screen in cd/m2.", 100.0, bounds=(25, 1e4))
    black: float = option("Black of the screen in cd/m2, with the room's reflection.", 2.0, bounds=(1e-4, 20))
    pixels_per_degree: float = option("Of the picture as it is looked at.", 30.0, bounds=(2, 200))
    low_percentile: float = option("Of the luminances; darker ones are black.", 0.1, bounds=(0, 49))
    high_percentile: float = option("Of the luminances; brighter ones are white.", 99.9, bounds=(50, 100))
    evenness: float = 0.005


@dataclass(frozen=True)
class LiangOptions(Look):
    """The constants of the paper and of the authors' demonstration."""

    saturation: float = _saturation(0.6)
    base_gain: float = option("Factor on the large areas.", 0.8, bounds=(0, 4))
    base_gamma: float = option("Compression of the large areas.", 2.2, bounds=(0.2, 10))
    detail_gain: float = option("Factor on the finest layer.", 1.2, bounds=(0, 4))
    detail_gamma: float = option("Compression of the finest layer.", 0.8, bounds=(0.5, 5))
    clip: float = option("Share of the pixels clipped at each end.", 0.005, bounds=(0, 0.4))


@dataclass(frozen=True)
class ExposureOptions(Look):
    exposure: float | None = option(  # type: ignore[assignment]
        "Stops by which 1.0 is brightened before all above it clips.  [default: from the picture]",
        None,
        bounds=(-30, 30),
    )
