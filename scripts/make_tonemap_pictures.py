"""Write the pictures of tone mapping in docs/images: every operator, and every option lower and higher.

python scripts/make_tonemap_pictures.py

The built-in scene, from its exact light.
"""

from __future__ import annotations

from dataclasses import Field, fields
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

import openhdr
from openhdr.pipeline.hdr_to_display import sheet
from openhdr.tonemapping import OPERATORS, OperatorRow

TARGET = Path(__file__).resolve().parents[1] / "docs" / "images"
WIDTH, CAPTION, GAP = 264, 18, 4  # px
PAPER, INK = (255, 255, 255), (60, 60, 60)
CHOSEN = {  # lower and higher values that show what an option does
    "exposure": (-1, 1),
    "contrast": (0.7, 1.4),
    "saturation": (0.4, 1.5),
    "white": (3, 7),
    "detail": (0.5, 2),
    "edge": (0.5, 4),
    "shadows": (6, 11),
    "key": (0.06, 0.5),
    "phi": (2, 14),
    "epsilon": (0.01, 0.3),
    "bias": (0.7, 0.95),
    "white_percentile": (97, 100),
    "base_contrast": (5, 200),
    "spatial": (0.002, 0.1),
    "tonal": (0.1, 2),
    "black_percentile": (0, 10),
    "peak": (40, 600),
    "black": (0.1, 10),
    "pixels_per_degree": (8, 90),
    "low_percentile": (0, 10),
    "high_percentile": (97, 100),
    "base_gain": (0.5, 1.2),
    "base_gamma": (1.4, 3.5),
    "detail_gain": (0.4, 2),
    "detail_gamma": (0.5, 1.2),
    "clip": (0, 0.03),
}


def cell(light: openhdr.Image, row: OperatorRow, given: dict[str, float], caption: str) -> Picture.Image:
    codes = np.rint(openhdr.tonemap(light, row.name, options=given).pixels * 255).astype(np.uint8)
    paper = Picture.new("RGB", (codes.shape[1], codes.shape[0] + CAPTION), PAPER)
    paper.paste(Picture.fromarray(codes), (0, 0))
    pen = ImageDraw.Draw(paper)
    pen.text((2, codes.shape[0] + 2), caption, fill=INK, font=ImageFont.load_default(size=12))
    return paper


def rows_of(light: openhdr.Image, row: OperatorRow, one: Field[Any]) -> list[Picture.Image]:
    low, high = CHOSEN[one.name]
    default = "from the picture" if one.default is None else f"{one.default:g}"
    return [
        cell(light, row, {one.name: low}, f"{one.name} {low:g}"),
        cell(light, row, {}, f"{one.name} {default} (default)"),
        cell(light, row, {one.name: high}, f"{one.name} {high:g}"),
    ]


def main() -> None:
    with resources.as_file(resources.files("openhdr.demo") / "gt.exr") as path:
        light = openhdr.read(path)
    Picture.fromarray(sheet(light).pixels).save(TARGET / "tonemap-sheet.jpg", quality=82)
    size = (WIDTH, round(light.height * WIDTH / light.width))
    small = light.with_pixels(cv2.resize(light.pixels, size, interpolation=cv2.INTER_AREA))
    for row in OPERATORS.values():
        lines = [rows_of(small, row, one) for one in fields(row.options) if "option" in one.metadata]
        step = size[1] + CAPTION + GAP
        paper = Picture.new("RGB", (3 * (WIDTH + GAP) - GAP, step * len(lines) - GAP), PAPER)
        for index, line in enumerate(lines):
            for column, picture in enumerate(line):
                paper.paste(picture, (column * (WIDTH + GAP), index * step))
        paper.save(TARGET / f"tonemap-{row.name}.jpg", quality=78)


if __name__ == "__main__":
    main()
