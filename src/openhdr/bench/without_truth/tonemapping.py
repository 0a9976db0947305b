"""Tone mapping operators beside exposure fusion and programs outside: TMQI, naturalness, times and pictures.

A scene is light, from an HDR file or merged from a bracket of photos, and photos, those of the bracket or cut from the
light as a photographer would take them. Operators are given the light, fusion the photos, programs either.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from openhdr import __version__, io, metrics, provenance
from openhdr.bench.measure import measure
from openhdr.bench.methods.method_options import with_options
from openhdr.bench.methods.photos import Photos
from openhdr.bench.methods.program import ProgramOptions, run_program
from openhdr.bench.methods.reconstruct import reconstruct
from openhdr.bench.methods.settings import Setting, parse_setting
from openhdr.bench.named_cases import demo_folder, read_demo
from openhdr.bench.report.pictures import SMALL_PICTURES, PictureOptions
from openhdr.bench.results import rounded
from openhdr.bench.without_truth.brackets import PhotoSet, photo_sets
from openhdr.bench.without_truth.page import (
    Answer,
    Make,
    PhotoPage,
    ShownPicture,
    ShownSet,
    Tell,
    View,
    answer_of,
)
from openhdr.color.transfer import srgb_encode
from openhdr.core.errors import FileError, OpenHDRError, unknown_name
from openhdr.core.image import Image
from openhdr.data.dataset import subfolders
from openhdr.tonemapping import OPERATORS, parse, tonemap

FORMAT = "openhdr-tonemapping-1"
SIDE = 1024  # px, the larger side of what is scored: TMQI thinks of a picture looked at whole
STEP, LEAST_PHOTOS = 2.0, 3  # of photos cut from light: stops between them
CLIPPED_PERCENT = 0.3  # of what is lit, in the shortest photo
DARK_PERCENT, DARK_CODE = 1.0, 0.03  # of what is lit, and the light at which the longest shows it
FUSION = "mertens"
TMQI, NATURALNESS = "tmqi", "tmqi-naturalness"
COLUMNS = tuple(
    {"key": key, "head": head, "group": "TMQI (Yeganeh and Wang 2013)", "digits": 3}
    for key, head in ((TMQI, "TMQI"), (NATURALNESS, "naturalness"))
)
LEAD = (
    "What each tone mapping operator makes of the same light. TMQI holds a picture beside the light it shows; it takes "
    "a mean code of 116 for natural, at night, too. Look before you believe it."
)


@dataclass(frozen=True)
class ToneScene:
    """name: of its file or folder. light: linear. photos: a bracket of the same, of the light's size."""

    name: str
    light: Image
    photos: Photos

    @classmethod
    def of_light(cls, name: str, image: Image) -> ToneScene:
        light = image.with_pixels(_small(np.maximum(image.pixels, 0)))
        return cls(name, light, photos_of(light.pixels))

    @classmethod
    def of_bracket(cls, bracket: PhotoSet) -> ToneScene:
        photos, _ = bracket.load(None, estimate=True)
        light = reconstruct(Setting("default"), photos)
        frames = tuple(one.with_pixels(_small(one.pixels)) for one in photos.frames)
        return cls(bracket.name, light.with_pixels(_small(light.pixels)), replace(photos, frames=frames))


def scenes(data: Path | None, names: Sequence[str] = ()) -> dict[str, Callable[[], ToneScene]]:
    """The HDR files and brackets in a folder by name; the built-in scene where there is none.

    names: only these. Raises FileError for an empty folder, RequestError for unknown names.
    """
    if data is None:
        return {"demo": lambda: ToneScene.of_light("demo", Image(read_demo(demo_folder()).truth))}
    found: dict[str, Callable[[], ToneScene]] = {
        path.stem: lambda path=path: ToneScene.of_light(path.stem, io.read(path))  # type: ignore[misc]
        for path in io.images_in(data, (".exr", ".hdr", ".pfm"))
    }
    if subfolders(data):
        found |= {one.name: partial(ToneScene.of_bracket, one) for one in photo_sets(data)}
    if not found:
        raise FileError(data, "holds no scene", "expected HDR files (.exr, .hdr) or a folder a bracket")
    for name in names:
        if name not in found:
            raise unknown_name("scene", name, found)
    return {name: found[name] for name in names or found}


def photos_of(light: np.ndarray) -> Photos:
    """8-bit photos of (H, W, 3) light, shortest first: from where highlights hold to where the dark shows."""
    top = light.max(axis=2)
    lit = top[top > 0] if top.any() else np.ones(1, np.float32)
    high, low = np.percentile(lit, [100 - CLIPPED_PERCENT, DARK_PERCENT])
    count = max(math.ceil(math.log2(DARK_CODE * high / low) / STEP) + 1, LEAST_PHOTOS)
    stops = [STEP * number - math.log2(high) for number in range(count)]
    frames = [
        np.rint(srgb_encode(np.clip(light * np.float32(2.0**stop), 0, 1)) * 255).astype(np.uint8)
        for stop in stops
    ]
    return Photos(tuple(Image(frame, "srgb") for frame in frames), tuple(stops), None, "srgb")


def _small(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    scale = SIDE / max(height, width)
    if scale >= 1:
        return pixels
    size = (round(width * scale), round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def methods(names: Sequence[str], programs: Sequence[Setting]) -> dict[str, Callable[[ToneScene], Image]]:
    """What makes pictures, by name: operators (drago:bias=0.9), methods of a merge, programs. Raises RequestError."""
    found: dict[str, Callable[[ToneScene], Image]] = {}
    for name in names or (*OPERATORS, FUSION):
        if name.partition(":")[0] in OPERATORS:
            parse(name)
            found[name] = lambda scene, name=name: tonemap(scene.light, name)  # type: ignore[misc]
        else:
            found[name] = partial(by_setting, parse_setting(name))
    return found | {one.name: partial(by_setting, one) for one in programs}


def by_setting(setting: Setting, scene: ToneScene) -> Image:
    """A picture; light is tone-mapped by the default."""
    if setting.task == "program":
        made = run_program(scene.photos, with_options(ProgramOptions(), setting.options), scene.light)
    else:
        made = reconstruct(setting, scene.photos)
    return tonemap(made) if made.encoding == "linear" else made


@dataclass(frozen=True)
class Asked:
    """What is compared. data, names: see `scenes`. operators, programs: see `methods`. compressed: small images."""

    data: Path | None
    names: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    programs: tuple[Setting, ...] = ()
    compressed: bool = False


def tonemapping(
    asked: Asked, make: Make, keep: Callable[[dict[str, Any]], None]
) -> tuple[dict[str, Any], PhotoPage]:
    """What results.json holds, and the page. What fails is recorded; the others go on.

    make: who works on the scenes. keep: given the results so far after every scene.
    """
    page = PhotoPage("Tone mapping", LEAD, COLUMNS, unit="TMQI and naturalness, 0..1, higher is better")
    made_by = {"openhdr": __version__, "commit": provenance.commit(), "hardware": provenance.hardware()}
    given = {
        name: {
            "data": asked.data and str(asked.data.absolute()),
            "name": name,
            "operators": list(asked.operators),
            "settings": [asdict(one) for one in asked.programs],
            "pictures": asdict(SMALL_PICTURES if asked.compressed else PictureOptions(lossless=False)),
        }
        for name in scenes(asked.data, asked.names)
    }
    tried = methods(asked.operators, asked.programs)
    with make("openhdr.bench.without_truth.tonemapping:compare_on_scene", given) as answers:
        for found in page.fill(list(given), answers):
            rows = {
                name: one["methods"] or {method: {"error": one["error"]} for method in tried}
                for name, one in found.items()
            }
            means = {method: means_over([row[method] for row in rows.values()]) for method in tried}
            facts = {"format": FORMAT, **made_by, "scenes": rows, "means": rounded(means)}
            keep(facts)
    page.means = facts["means"]
    return facts, page


def compare_on_scene(
    data: str | None,
    name: str,
    operators: list[str],
    settings: list[dict[str, Any]],
    pictures: dict[str, Any],
    *,
    lost: Mapping[str, str],
    tell: Tell,
) -> Answer:
    """Scores and times of every method on a scene. All is given as plain values, see `page`."""
    scene = scenes(Path(data) if data else None, [name])[name]()
    options, shown = PictureOptions(**pictures), []
    values: dict[str, dict[str, Any]] = {}
    for name, method in methods(operators, [Setting(**one) for one in settings]).items():
        if name in lost:
            values[name] = {"error": lost[name]}
            continue
        tell({"step": name})
        try:
            done = measure(partial(method, scene))
            scores = metrics.evaluate(done.value, scene.light, [TMQI, NATURALNESS])
        except OpenHDRError as error:
            values[name] = {"error": str(error)}
        else:
            full_scale = done.value.full_scale
            codes = np.rint(done.value.pixels * np.float32(255 / full_scale)).astype(np.uint8)
            shown.append(ShownPicture.of_codes(name, codes, options))
            values[name] = {**scores, "time_s": done.time_s, "cpu_s": done.cpu_s}
    tell({"step": None})
    page = ShownSet(
        f"{scene.light.width}x{scene.light.height}, {len(scene.photos.frames)} photos.",
        rounded(values),
        [View("tone-mapped", shown)] if shown else [],
        judged=len(shown),
    )
    return answer_of({"methods": rounded(values)}, page)


def means_over(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Means over the scenes that a method could do."""
    done = [row for row in rows if "error" not in row]
    return {key: float(np.mean([row[key] for row in done])) for key in (done[0] if done else ())}
