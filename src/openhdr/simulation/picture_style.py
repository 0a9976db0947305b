"""Picture styles: the response curves with which cameras develop their photos.

A style is described by its contrast: how many stops a true step of one stop shows when the photo is decoded by sRGB.
Brackets of phones, compacts and reflex cameras show 1.4 to 1.9 between codes 38 and 80, 0.9 to 1.4 between 80 and 130,
0.4 to 1.0 between 130 and 230 and 0.2 to 0.4 close to clipping: shadows are steep and highlights roll off (a family
such as that of Grossberg and Nayar, What is the space of camera response functions?, CVPR 2003).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openhdr.color.transfer import srgb_decode

PREFIX = "style:"
_KNOTS = (70, 140, 245)  # 8-bit codes at which shadows, middle and highlights have their declared contrast
_NEUTRAL = 128  # 8-bit code at which grey has equal codes in all channels
_DARKEST, _FINE = 0.02 / 255, 8192  # first code and number of samples of the integral


@dataclass(frozen=True)
class PictureStyle:
    """The curve of one channel. sRGB has contrasts of 1 and black 0."""

    shadows: float  # stops shown per true stop about code 70 and below
    middle: float  # ... about code 140
    highlights: float  # ... about code 245 and above
    black: float  # 8-bit codes that are crushed to 0

    def light(self, codes: np.ndarray) -> np.ndarray:
        """Light of codes 0..1, any shape, rising; 1.0 = the light of the neutral code. 0 at code 0.

        With s(c) = log2 of sRGB's light at code c, the light is 2^t(c), dt = ds / contrast(c).
        """
        fine = np.geomspace(_DARKEST, 1, _FINE)
        stops = np.log2(srgb_decode(fine))
        contrast = np.interp(fine * 255, _KNOTS, (self.shadows, self.middle, self.highlights))
        inverse = 1 / contrast
        shown = np.concatenate([[0], np.cumsum(np.diff(stops) * (inverse[1:] + inverse[:-1]) / 2)])
        black = self.black / 255
        found = np.interp(black + codes * (1 - black), fine, shown)
        neutral = np.interp(black + _NEUTRAL / 255 * (1 - black), fine, shown)
        return np.where(codes > 0, 2.0 ** (found - neutral), 0.0)


def name_of(styles: tuple[PictureStyle, PictureStyle, PictureStyle]) -> str:
    """Styles of R, G, B as the name of a response: `style:S,M,H,B;S,M,H,B;S,M,H,B`."""
    numbers = ((s.shadows, s.middle, s.highlights, s.black) for s in styles)
    return PREFIX + ";".join(",".join(f"{number:.4f}" for number in row) for row in numbers)


def curves(name: str, codes: np.ndarray) -> np.ndarray:
    """(K,) codes 0..1 -> (K, 3) float64 light, 1.0 = the last channel clips.

    Grey has equal codes at code 128, so that channels clip at different light.
    """
    rows = (map(float, row.split(",")) for row in name.removeprefix(PREFIX).split(";"))
    styles = [PictureStyle(*row) for row in rows]
    top = max(float(style.light(np.ones(1))[0]) for style in styles)
    return np.stack([style.light(codes) for style in styles], axis=1) / top
