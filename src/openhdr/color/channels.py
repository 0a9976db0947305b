"""Over the three channels of an image: NumPy's loops along so short an axis are ten times slower than others.

OpenCV is loaded by the functions that need it: reading a photo does not.
"""

from __future__ import annotations

import numpy as np

ROWS_AT_A_TIME = 64
_THIRD = np.full((1, 3), 1 / 3, np.float32)


def along_row(values: np.ndarray, width: int) -> np.ndarray:
    """(3,) a value per channel -> (width, 3), which combines with images (h, width, 3) in long loops."""
    return np.tile(values, (width, 1))


def mean_channel(image: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32 -> (h, w), the mean of the channels."""
    import cv2

    return cv2.transform(image, _THIRD)


def per_channel(plane: np.ndarray) -> np.ndarray:
    """(h, w), bool or any dtype that OpenCV knows -> (h, w, 3), the same in every channel."""
    import cv2

    if plane.dtype == bool:
        return cv2.merge((plane.view(np.uint8),) * 3).view(bool)
    return cv2.merge((plane,) * 3)


def where(mask: np.ndarray, then: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """`numpy.where` of images (h, w, 3) or planes (h, w) alike; ten times its speed where the mask is uneven."""
    import cv2

    result = otherwise.copy()
    return cv2.copyTo(then, mask.view(np.uint8), result)


def any_channel(mask: np.ndarray) -> np.ndarray:
    """(h, w, 3) bool -> (h, w), whether it holds for one channel at least."""
    import cv2

    red, green, blue = cv2.split(mask.view(np.uint8))
    return cv2.bitwise_or(cv2.bitwise_or(red, green), blue).view(bool)


def all_channels(mask: np.ndarray) -> np.ndarray:
    """(h, w, 3) bool -> (h, w), whether it holds for every channel."""
    import cv2

    red, green, blue = cv2.split(mask.view(np.uint8))
    return cv2.bitwise_and(cv2.bitwise_and(red, green), blue).view(bool)


def share_of_channels(mask: np.ndarray) -> np.ndarray:
    """(h, w, 3) bool -> (h, w) float32, the share of the channels for which it holds."""
    import cv2

    return cv2.transform(mask.view(np.uint8).astype(np.float32), _THIRD)


def brightest_channel(image: np.ndarray) -> np.ndarray:
    """(h, w, 3), any dtype that OpenCV knows -> (h, w), the highest of the channels."""
    import cv2

    highest: np.ndarray = np.empty(image.shape[:2], image.dtype)
    # three planes of a large image would not stay in the cache
    for top in range(0, len(image), ROWS_AT_A_TIME):
        rows = slice(top, top + ROWS_AT_A_TIME)
        red, green, blue = cv2.split(np.ascontiguousarray(image[rows]))
        cv2.max(cv2.max(red, green), blue, highest[rows])
    return highest


def darkest_channel(image: np.ndarray) -> np.ndarray:
    """(h, w, 3), any dtype that OpenCV knows -> (h, w), the lowest of the channels."""
    import cv2

    red, green, blue = cv2.split(image)
    return cv2.min(cv2.min(red, green), blue)


def look_up(codes: np.ndarray, table: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8 codes through a table (256, 3) -> (h, w, 3) of the table's type.

    Where the table is the same for all channels, as sRGB's is, half the time.
    """
    import cv2

    if (table == table[:, :1]).all():
        return cv2.LUT(codes.reshape(len(codes), -1), table[None, :, 0].copy()).reshape(codes.shape)
    return cv2.LUT(codes, np.ascontiguousarray(table[None]))


def share_above(image: np.ndarray, level: float) -> float:
    """Share of the pixels of an image (h, w, 3) of which one channel at least is above a level."""
    return np.count_nonzero(any_channel(image > level)) / (image.shape[0] * image.shape[1])
