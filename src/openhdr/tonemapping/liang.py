"""Liang, Xu, Zhang, Yue, Zhang, "A Hybrid l1-l0 Layer Decomposition Model for Tone Mapping", CVPR 2018.

The operator and its limits are described in color/liang.py, which the metrics tm-psnr and tm-ssim use as well.
"""

from __future__ import annotations

import numpy as np

from openhdr.color.liang import DEFAULTS, LiangOptions, liang_tonemap


def liang(linear: np.ndarray, options: LiangOptions = DEFAULTS) -> np.ndarray:
    """(H, W, 3) float32 linear >= 0 -> (H, W, 3) float32 0..1, display-ready as sRGB codes."""
    return liang_tonemap(linear, options).astype(np.float32)
