"""A strip for a paper: the whole image with its crops marked, and each crop as every method shows it, with labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from openhdr import io
from openhdr.bench import DATASET_CASES
from openhdr.bench.case import BenchScene
from openhdr.bench.datasets import dataset_case
from openhdr.bench.methods.photos import Photos
from openhdr.bench.methods.reconstruct import reconstruct
from openhdr.bench.methods.settings import Setting
from openhdr.bench.without_truth.brackets import PhotoSet, photo_sets
from openhdr.camera import response as responses
from openhdr.core.errors import FileError, RequestError
from openhdr.core.files import make_folder, whole_file
from openhdr.core.image import Image
from openhdr.data.files import read_linear
from openhdr.metrics import evaluate
from openhdr.models import MODELS, load_for_use
from openhdr.pipeline.hdr_to_display import tonemap

COLOURS = ((230, 60, 50), (60, 150, 240), (70, 190, 90), (240, 180, 40))
GAP, LABEL = 6, 20  # pixels between pictures, height of a label
SUFFIXES = (".png", ".pdf", ".jpg")
LONGEST = 2048  # pixels: longest side of the whole image in the strip
DPI = 200


@dataclass(frozen=True)
class Crop:
    """left, top, width, height in pixels of the photos."""

    left: int
    top: int
    width: int
    height: int

    @staticmethod
    def parse(text: str) -> Crop:
        """`x,y,w,h`. Raises RequestError for anything else."""
        parts = text.split(",")
        if len(parts) != 4 or not all(part.strip().isdecimal() for part in parts):
            raise RequestError(f"`crops={text}`: expected x,y,w,h in pixels, such as 400,120,160,120")
        crop = Crop(*(int(part) for part in parts))
        if not crop.width or not crop.height:
            raise RequestError(f"`crops={text}`: a crop has a width and a height above 0")
        return crop

    def of(self, picture: np.ndarray) -> np.ndarray:
        """(H, W, 3) -> (height, width, 3). Raises RequestError where it lies outside."""
        height, width = picture.shape[:2]
        if self.left + self.width > width or self.top + self.height > height:
            raise RequestError(
                f"the crop {self.left},{self.top},{self.width},{self.height} leaves the image, {width}x{height}"
            )
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]


@dataclass(frozen=True)
class Subject:
    """Photos, their names, and the truth where there is one."""

    photos: Photos
    names: tuple[str, ...]
    truth: np.ndarray | None


def subject_of(scene: str, data: Path | None) -> Subject:
    """A photo, a folder of a bracket (gt.exr beside it = the truth), or, with `data`, CASE/NAME of a dataset."""
    case, _, name = scene.partition("/")
    if data is not None:
        if case not in DATASET_CASES or not name:
            raise RequestError(f"with `data` a scene is CASE/NAME, such as hdm/0058; got '{scene}'")
        entries = {one.name: one for one in dataset_case(DATASET_CASES[case], data, "all").scenes}
        if name not in entries:
            raise RequestError(f"{data} has no scene '{name}'; it has {', '.join(list(entries)[:4])} ...")
        found: BenchScene = entries[name].load()
        labels = tuple(f"{stop:+g} EV" for stop in found.ev)
        return Subject(found.given, labels, found.truth)
    path = Path(scene)
    if path.is_file():
        return Subject(Photos((io.read(path),), (0.0,), 0), (path.name,), None)
    if not path.is_dir():
        raise FileError(
            path, "does not exist", "expected a photo, a folder of a bracket, or CASE/NAME with `data`"
        )
    bracket: PhotoSet = photo_sets(path)[0]
    photos, names = bracket.load(None, estimate=True)
    truth = next((read_linear(path / one) for one in ("gt.exr", "gt.hdr") if (path / one).is_file()), None)
    return Subject(photos, names, truth)


def strip(
    subject: Subject, settings: Sequence[Setting], crops: Sequence[Crop], operator: str | None
) -> Pillow.Image:
    """The figure. Columns: the photos, the methods, the truth; rows: the crops, or the whole images without crops.

    Below a method its mu-PSNR on the shortest frame's scale, where there is a truth.
    """
    columns = [
        (name, _codes(frame)) for name, frame in zip(subject.names, subject.photos.frames, strict=True)
    ]
    shortest = min(subject.photos.ev) - subject.photos.ev[subject.photos.anchor]
    names = [setting.name.partition(":")[0] for setting in settings]
    for setting, name in zip(settings, names, strict=True):
        made = reconstruct(setting, subject.photos)
        label = name if names.count(name) == 1 else setting.name
        if made.encoding == "linear":
            if subject.truth is not None:
                key = "psnr-mu@shortest"
                score = evaluate(made.pixels, subject.truth, [key], shortest_ev=shortest)[key]
                label += f"  {score:.2f} dB"
            made = tonemap(made, operator)
        columns.append((label, _codes(made)))
    if subject.truth is not None:
        columns.append(("truth", _codes(tonemap(Image(subject.truth), operator))))
    if not crops:
        return _table([[(label, picture)] for label, picture in columns], [None])
    whole = columns[len(subject.names)][1] if settings else columns[subject.photos.anchor][1]
    table = [[(label, crop.of(picture)) for crop in crops] for label, picture in columns]
    return joined(marked(whole, crops), _table(table, crops))


def write_figure(path: Path, figure: Pillow.Image) -> None:
    """Write a .png, .pdf or .jpg, whole or not at all."""
    if path.suffix.lower() not in SUFFIXES:
        raise FileError(path, f"has extension '{path.suffix}'", f"end the name in {', '.join(SUFFIXES)}")
    stream = BytesIO()
    kind = {".png": "PNG", ".pdf": "PDF", ".jpg": "JPEG"}[path.suffix.lower()]
    figure.save(stream, kind, quality=95, resolution=DPI, dpi=(DPI, DPI))
    with whole_file(path) as temporary:
        temporary.write_bytes(stream.getvalue())


def write_maps(folder: Path, subject: Subject, settings: Sequence[Setting]) -> int:
    """FOLDER/METHOD/NAME.png for every map of every network of a paper among the methods; how many there are."""
    photos = subject.photos
    response = responses.parse(photos.response or responses.ASSUMED_RESPONSE)
    light = [response.decode(frame) for frame in photos.frames]
    count = 0
    for setting in settings:
        name = setting.method or ""
        if name not in MODELS or MODELS[name].inside:
            continue
        from openhdr.models.inference.maps import maps_of  # needs torch

        net = load_for_use(name, setting.weights)
        found = maps_of(name, net, light, photos.ev, photos.anchor)
        place = folder / setting.name.replace("/", "-").replace(":", "-")
        make_folder(place)
        for what, picture in found.items():
            colours = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
            io.write(place / f"{what}.png", Image(np.rint(colours * 255).astype(np.uint8), "srgb"))
        count += len(found)
    return count


def _codes(image: Image) -> np.ndarray:
    """(H, W, 3) uint8 of an image for display."""
    return np.rint(image.pixels * np.float32(255 / image.full_scale)).astype(np.uint8)


def _table(columns: list[list[tuple[str, np.ndarray]]], crops: Sequence[Crop | None]) -> Pillow.Image:
    """Columns of pictures of one size with the column's label below; each picture framed in its crop's colour."""
    height, width = columns[0][0][1].shape[:2]
    zoom = max(1, round(240 / max(width, height)))
    if max(width, height) > LONGEST // 2:
        zoom = 1
    side = (width * zoom, height * zoom)
    rows = len(columns[0])
    size = (len(columns) * (side[0] + GAP) + GAP, rows * (side[1] + GAP) + GAP + LABEL)
    sheet = Pillow.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for column, cells in enumerate(columns):
        left = GAP + column * (side[0] + GAP)
        for row, (_, picture) in enumerate(cells):
            top = GAP + row * (side[1] + GAP)
            shown = Pillow.fromarray(np.ascontiguousarray(picture)).resize(side, Pillow.Resampling.NEAREST)
            sheet.paste(shown, (left, top))
            if crops[0] is not None:
                frame = (left, top, left + side[0] - 1, top + side[1] - 1)
                draw.rectangle(frame, outline=COLOURS[row % len(COLOURS)], width=2)
        label = cells[0][0]
        while draw.textlength(label, font) > side[0] and len(label) > 4:
            label = label[:-2].rstrip(".") + "."
        place = left + (side[0] - draw.textlength(label, font)) / 2
        draw.text((place, size[1] - LABEL), label, "black", font)
    return sheet


def marked(whole: np.ndarray, crops: Sequence[Crop]) -> Pillow.Image:
    """The whole image with the crops drawn on it."""
    picture = Pillow.fromarray(np.ascontiguousarray(whole))
    draw = ImageDraw.Draw(picture)
    thick = max(2, picture.width // 300)
    for number, crop in enumerate(crops):
        corners = (crop.left, crop.top, crop.left + crop.width - 1, crop.top + crop.height - 1)
        draw.rectangle(corners, outline=COLOURS[number % len(COLOURS)], width=thick)
    return picture


def joined(left: Pillow.Image, right: Pillow.Image) -> Pillow.Image:
    """Two pictures on white, the left one brought to the height of the right one's pictures."""
    height = right.height - LABEL - 2 * GAP
    left = left.resize((max(1, round(left.width * height / left.height)), height), Pillow.Resampling.LANCZOS)
    sheet = Pillow.new("RGB", (left.width + GAP + right.width, right.height), "white")
    sheet.paste(left, (GAP, GAP))
    sheet.paste(right, (left.width + GAP, 0))
    return sheet
