"""Write docs/images/demo.jpg for the README: the demo's photos above, the merged and tone-mapped result below.

python scripts/make_readme_images.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

import openhdr
from openhdr.bench.named_cases import demo_photos

TARGET = Path(__file__).resolve().parents[1] / "docs" / "images" / "demo.jpg"
WIDTH, GAP, CAPTION = 960, 6, 26  # pixels
PAPER, INK = (255, 255, 255), (60, 60, 60)


def eight_bit(image: openhdr.Image, width: int) -> Picture.Image:
    pixels = image.pixels
    codes = pixels if pixels.dtype == np.uint8 else np.rint(pixels * 255).astype(np.uint8)
    height = round(codes.shape[0] * width / codes.shape[1])
    return Picture.fromarray(codes).resize((width, height), Picture.Resampling.LANCZOS)


def caption_of(photo: openhdr.Image) -> str:
    """The shutter time as a photographer writes it."""
    time_s = photo.exposure.time_s if photo.exposure else None
    if not time_s:
        return ""
    return f"1/{1 / time_s:.0f} s" if time_s < 0.5 else f"{time_s:g} s"


def sheet(photos: list[openhdr.Image], result: openhdr.Image) -> Picture.Image:
    small_width = (WIDTH - GAP * (len(photos) - 1)) // len(photos)
    small = [eight_bit(photo, small_width) for photo in photos]
    large = eight_bit(result, WIDTH)
    top = small[0].height + CAPTION
    paper = Picture.new("RGB", (WIDTH, top + large.height + CAPTION), PAPER)
    pen, font = ImageDraw.Draw(paper), ImageFont.load_default(size=16)
    for number, (photo, picture) in enumerate(zip(photos, small, strict=True)):
        left = number * (small_width + GAP)
        paper.paste(picture, (left, 0))
        pen.text((left + 4, small[0].height + 3), caption_of(photo), fill=INK, font=font)
    paper.paste(large, (0, top))
    pen.text((4, top + large.height + 3), "merged by openhdr merge, tone-mapped", fill=INK, font=font)
    return paper


def main() -> None:
    paths = demo_photos()
    result = openhdr.tonemap(openhdr.merge(paths))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    sheet([openhdr.read(path) for path in paths], result).save(TARGET, quality=88, subsampling=0)


if __name__ == "__main__":
    main()
