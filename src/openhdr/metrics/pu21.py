"""PU21, the perceptually uniform encoding of Mantiuk and Azimi 2021 (equation 2, variant banding_glare).

    V = max(p7 (((p1 + p2 Y^p4) / (1 + p3 Y^p4))^p5 - p6), 0)

Y in cd/m2, clipped to 0.005..10000; V runs from 0 to about 595, 100 cd/m2 gives 256.
"""

from __future__ import annotations

import numpy as np

PARAMETERS = (
    0.353487901,
    0.3734658629,
    8.277049286e-5,
    0.9062562627,
    0.09150303166,
    0.9099517204,
    596.3148142,
)
DARKEST, BRIGHTEST = 0.005, 10000.0  # cd/m2
PEAK = 256.0  # what 100 cd/m2 becomes: the peak of PSNR and SSIM
# luminance of Rec.709 RGB in the precision of the published code
RED, GREEN, BLUE = 0.212656, 0.715158, 0.072186


def pu21(light: np.ndarray) -> np.ndarray:
    """cd/m2 -> perceptually uniform value; any shape, float64."""
    p1, p2, p3, p4, p5, p6, p7 = PARAMETERS
    power = np.clip(light, DARKEST, BRIGHTEST) ** p4
    return np.maximum(p7 * (((p1 + p2 * power) / (1 + p3 * power)) ** p5 - p6), 0)


def luminance(rgb: np.ndarray) -> np.ndarray:
    """(..., 3) Rec.709 RGB in cd/m2 -> (...) luminance in cd/m2."""
    return RED * rgb[..., 0] + GREEN * rgb[..., 1] + BLUE * rgb[..., 2]
