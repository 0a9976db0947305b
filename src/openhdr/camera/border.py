"""Borders that are no part of a photo: bands of one pure colour left where scans were registered or rotated."""

from __future__ import annotations

import cv2
import numpy as np

# red, green, blue, cyan, magenta, yellow at full strength: no photo has a border of exactly these
PURE_COLOURS = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 0))
MARGIN_PX = 2  # pixels beside the band that mix with it
LEAST_EDGE_SHARE = 0.01  # of the picture's edge that a band covers


def pure_colour_border(pixels: np.ndarray) -> np.ndarray | None:
    """(H, W) bool, True where the picture is a pure-colour band connected to its edge; None if there is none.

    pixels: (H, W, 3) uint8 or uint16; float pictures have no such bands.
    """
    if pixels.dtype == np.float32:
        return None
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    top = int(np.iinfo(pixels.dtype).max)
    mask = np.zeros(pixels.shape[:2], np.uint8)
    for colour in PURE_COLOURS:
        code = np.array(colour) * top
        if (edge == code).all(axis=1).mean() >= LEAST_EDGE_SHARE:
            code = code.astype(np.float64)
            mask |= _connected_to_edge(cv2.inRange(pixels, code, code))
    if not mask.any():
        return None
    size = 2 * MARGIN_PX + 1
    return cv2.dilate(mask, np.ones((size, size), np.uint8)).astype(bool)


def _connected_to_edge(mask: np.ndarray) -> np.ndarray:
    """(H, W) uint8 1 where a region of the mask reaches the picture's edge."""
    _, labels = cv2.connectedComponents(mask, connectivity=8)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    reaches = np.zeros(labels.max() + 1, np.uint8)
    reaches[edge] = 1
    reaches[0] = 0
    return reaches[labels]
