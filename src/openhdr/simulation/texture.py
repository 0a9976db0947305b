"""Reading an image between its pixels.

Every simulated frame reads the scene once, at the place its own pixels look at. Frames and truth are then
samples of one continuous function, so that where nothing moves they agree exactly; warping a rendered frame
a second time would blur it.
"""

from __future__ import annotations

import numpy as np

_PAD = 2  # pixels that the 4x4 kernel reaches beyond the image


class Texture:
    """A continuous radiance field made of an image.

    The kernel is the cubic of Catmull and Rom (1974), limited to the range of the four nearest pixels: a
    plain cubic rings below zero around a sun. Additions and multiplications are elementwise in float64, so
    the values do not depend on the machine beyond the last bit.
    """

    def __init__(self, pixels: np.ndarray, wrap: bool) -> None:
        """pixels: (H, W, 3) float, radiance >= 0. wrap: whether the left edge continues the right one."""
        self.height, self.width = pixels.shape[:2]
        self.wrap = wrap
        rows = np.pad(pixels, ((_PAD, _PAD), (0, 0), (0, 0)), mode="edge")
        padded = np.pad(rows, ((0, 0), (_PAD, _PAD), (0, 0)), mode="wrap" if wrap else "edge")
        self._stride = padded.shape[1]
        flat = padded.reshape(-1, 3).T
        self._planes = np.ascontiguousarray(flat, dtype=np.float32)  # (3, pixels): one row a channel

    def pixels(self) -> np.ndarray:
        """(H, W, 3) float32: the image itself."""
        padded = self._planes.T.reshape(-1, self._stride, 3)
        return padded[_PAD : _PAD + self.height, _PAD : _PAD + self.width]

    def at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(N,) float64 pixel coordinates (0, 0 = centre of the first pixel) -> (3, N) float64 radiance.

        Places outside take the nearest edge pixel.
        """
        x = np.mod(x, self.width) if self.wrap else np.clip(x, 0, self.width - 1)
        y = np.clip(y, 0, self.height - 1)
        left, top = np.floor(x), np.floor(y)
        across, down = _catmull_rom(x - left), _catmull_rom(y - top)
        corner = ((top + (_PAD - 1)) * self._stride + (left + (_PAD - 1))).astype(np.int64)
        total = np.zeros((3, corner.size))
        low, high = np.full((3, corner.size), np.inf, np.float32), np.zeros((3, corner.size), np.float32)
        for j in range(4):
            row = np.zeros_like(total)
            for i in range(4):
                value = self._planes.take(corner + (j * self._stride + i), axis=1)
                row += across[i] * value
                if i in (1, 2) and j in (1, 2):
                    np.minimum(low, value, out=low)
                    np.maximum(high, value, out=high)
            total += down[j] * row
        return np.minimum(np.maximum(total, low), high)


def _catmull_rom(t: np.ndarray) -> list[np.ndarray]:
    """The four weights at offset t in [0, 1] between the second and the third pixel."""
    return [
        t * (-0.5 + t * (1.0 - 0.5 * t)),
        1.0 + t * t * (-2.5 + 1.5 * t),
        t * (0.5 + t * (2.0 - 1.5 * t)),
        t * t * (-0.5 + 0.5 * t),
    ]


def shrink(pixels: np.ndarray, factor: int) -> np.ndarray:
    """Mean over blocks of factor x factor pixels; a rest at the right and the bottom is cut off."""
    if factor <= 1:
        return pixels
    height, width = (side // factor for side in pixels.shape[:2])
    blocks = pixels[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
    return blocks.mean(axis=(1, 3), dtype=np.float64).astype(np.float32)
