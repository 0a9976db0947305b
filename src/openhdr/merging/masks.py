"""Pictures of what a merge did: what it used of each frame, and how far it moved them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from openhdr.core.image import Bracket, Image
from openhdr.geometry import Registration, sampling_map

SHEET_WIDTH = 2000  # px at most
CELL_WIDTHS = (240, 480)  # px, of one mask: at least, at most
GAP = 16  # px between masks
LINE = 24  # px of a line of text
FONT = (cv2.FONT_HERSHEY_SIMPLEX, 0.55, 1)  # face, scale, thickness
BACKGROUND = 48  # grey


def ghost_sheet(bracket: Bracket, consistency: Sequence[np.ndarray], used: Sequence[float]) -> Image:
    """A contact sheet of the masks of all frames, in the reference's geometry: white = used, black = left out.

    consistency: per frame (h, w) float32 0..1, of any size. used: the share of each frame that went into the result.
    Each mask stands over its frame's name, exposure and share; the sheet is at most SHEET_WIDTH pixels wide.
    """
    height, width = bracket.frames[0].image.pixels.shape[:2]
    cell = int(np.clip(width, *CELL_WIDTHS))
    size = (cell, max(1, round(cell * height / width)))
    columns = min(len(consistency), SHEET_WIDTH // (cell + GAP))
    cells = []
    for frame, ev, mask, share in zip(bracket.frames, bracket.ev, consistency, used, strict=True):
        grey = np.round(cv2.resize(mask, size, interpolation=cv2.INTER_AREA) * 255).astype(np.uint8)
        cells.append(np.vstack((grey, _label((frame.name, f"{ev:+.2f} EV, {100 * share:.0f} % used"), cell))))
    cells += [np.full_like(cells[0], BACKGROUND)] * (-len(cells) % columns)
    framed = [np.pad(one, GAP // 2, constant_values=BACKGROUND) for one in cells]
    rows = [np.hstack(framed[k : k + columns]) for k in range(0, len(framed), columns)]
    return Image(np.repeat(np.vstack(rows)[..., None], 3, axis=2), "srgb")


def _label(lines: Sequence[str], width: int) -> np.ndarray:
    """(h, width) uint8: lines of text, cut where they are too long. The font knows ASCII only."""
    label = np.full((len(lines) * LINE + GAP // 2, width), BACKGROUND, np.uint8)
    for number, line in enumerate(lines, start=1):
        text = line.encode("ascii", "replace").decode()
        while len(text) > 4 and cv2.getTextSize(text, *FONT)[0][0] > width:
            text = text[:-4] + "..."
        cv2.putText(label, text, (0, number * LINE - 6), *FONT[:2], 255, FONT[2], cv2.LINE_AA)
    return label


def motion_sheet(registrations: list[Registration], shape: tuple[int, int]) -> Image:
    """How far each pixel of every frame was moved, side by side: hue = direction, brightness = distance.

    shape: (H, W) of a frame. The largest distance of all frames is the brightest; no motion is black.
    """
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    moves = [sampling_map(place, slice(0, shape[0]), shape) - np.dstack((x, y)) for place in registrations]
    longest = max(max(float(np.hypot(*np.moveaxis(move, 2, 0)).max()) for move in moves), 1e-6)
    return Image(np.hstack([_coloured(move, longest) for move in moves]), "srgb")


def _coloured(move: np.ndarray, longest: float) -> np.ndarray:
    distance, degrees = cv2.cartToPolar(move[..., 0], move[..., 1], angleInDegrees=True)
    hsv = np.dstack((degrees, np.full_like(distance, 0.8), np.minimum(distance / longest, 1)))
    return np.round(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255).astype(np.uint8)
