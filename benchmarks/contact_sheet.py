"""One picture of many simulated brackets: a row a bracket with its frames, truth and masks.

    python benchmarks/contact_sheet.py BRACKETS -o sheet.png [--columns 2] [--width 150]

The truth is shown through x / (1 + x) of its reference's exposure. Masks: red = the first frame's content
moved, green = hidden in the last frame, blue = clipped in the reference.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from openhdr import io
from openhdr.color.transfer import srgb_encode
from openhdr.core.image import Image
from openhdr.data.readers import open_dataset
from openhdr.data.sample import Sample


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("brackets", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--columns", type=int, default=2)
    parser.add_argument("--width", type=int, default=150)
    options = parser.parse_args()
    dataset = open_dataset("simulated", options.brackets)
    rows = [_row(sample, options.brackets / sample.name, options.width) for sample in dataset]
    rows += [np.zeros_like(rows[0])] * (-len(rows) % options.columns)
    per_column = len(rows) // options.columns
    columns = [np.vstack(rows[k * per_column : (k + 1) * per_column]) for k in range(options.columns)]
    io.write(options.output, Image(np.hstack(columns), "srgb"))


def _row(sample: Sample, folder: Path, width: int) -> np.ndarray:
    shown = [frame if frame.dtype == np.uint8 else (frame >> 8).astype(np.uint8) for frame in sample.frames]
    tone_mapped = srgb_encode(2 * sample.truth / (1 + 2 * sample.truth))
    shown.append(np.rint(tone_mapped * 255).astype(np.uint8))
    masks = ["moved_0", f"hidden_{len(sample.frames) - 1}", f"clipped_{sample.reference}"]
    shown.append(np.stack([io.read(folder / f"{name}.png").pixels[..., 0] for name in masks], axis=2))
    height = round(width * sample.truth.shape[0] / sample.truth.shape[1])
    return np.hstack(
        [cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA) for picture in shown]
    )


if __name__ == "__main__":
    main()
