"""Linear RGB of other primaries to Rec.709, as 3x3 matrices.

Derivation of RGB -> XYZ from chromaticities: SMPTE RP 177:1993. White points are adapted by the linear
Bradford transform (ICC.1:2022, annex E).
"""

from __future__ import annotations

import numpy as np

Chromaticities = tuple[
    float, float, float, float, float, float, float, float
]  # xy of red, green, blue, white

REC709: Chromaticities = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, 0.3127, 0.3290)  # BT.709-6, item 1.3
REC2020: Chromaticities = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)  # BT.2020-2, table 3
P3_D65: Chromaticities = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290)  # SMPTE EG 432-1
TOLERANCE = 0.002  # chromaticities this close are the same primaries

_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def is_rec709(primaries: Chromaticities) -> bool:
    return bool(np.allclose(primaries, REC709, atol=TOLERANCE, rtol=0))


def to_xyz(primaries: Chromaticities) -> np.ndarray:
    """(3, 3) float64: linear RGB -> XYZ with Y of white = 1. Raises ValueError for impossible primaries."""
    xy = np.asarray(primaries, dtype=np.float64).reshape(4, 2)
    if not np.isfinite(xy).all() or (xy[:, 1] == 0).any():
        raise ValueError(f"chromaticities {tuple(primaries)} are impossible")
    columns = np.stack([xy[:, 0] / xy[:, 1], np.ones(4), (1 - xy.sum(1)) / xy[:, 1]])
    if abs(np.linalg.det(columns[:, :3])) < 1e-9:
        raise ValueError(f"chromaticities {tuple(primaries)} are impossible")
    return columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3])


def to_rec709(primaries: Chromaticities) -> np.ndarray:
    """(3, 3) float32: linear RGB of `primaries` -> linear Rec.709, white to white."""
    source, target = to_xyz(primaries), to_xyz(REC709)
    cone_source, cone_target = _BRADFORD @ source.sum(1), _BRADFORD @ target.sum(1)
    adapt = np.linalg.inv(_BRADFORD) @ np.diag(cone_target / cone_source) @ _BRADFORD
    return (np.linalg.inv(target) @ adapt @ source).astype(np.float32)
