"""RGB primaries: the ones that have names, and 3x3 matrices between them.

Derivation of RGB -> XYZ from chromaticities: SMPTE RP 177:1993. White points are adapted by the linear
Bradford transform (ICC.1:2022, annex E).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from openhdr.core.errors import unknown_name
from openhdr.core.image import REC709, Chromaticities

REC2020: Chromaticities = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)  # BT.2020-2, table 3
P3_D65: Chromaticities = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290)  # SMPTE EG 432-1
P3_DCI: Chromaticities = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3140, 0.3510)  # SMPTE RP 431-2
ADOBE_RGB: Chromaticities = (
    0.640,
    0.330,
    0.210,
    0.710,
    0.150,
    0.060,
    0.3127,
    0.3290,
)  # Adobe RGB (1998), 4.3.1
PROPHOTO: Chromaticities = (0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001, 0.3457, 0.3585)  # ISO 22028-2
ACESCG: Chromaticities = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)  # AP1, S-2014-004
PRIMARIES = {
    "rec709": REC709,
    "p3": P3_D65,
    "rec2020": REC2020,
    "adobe-rgb": ADOBE_RGB,
    "prophoto": PROPHOTO,
    "acescg": ACESCG,
}
TITLES = {
    "rec709": "Rec.709",
    "p3": "Display P3",
    "rec2020": "Rec.2020",
    "adobe-rgb": "Adobe RGB",
    "prophoto": "ProPhoto RGB",
    "acescg": "ACEScg",
}
TOLERANCE = 0.002  # chromaticities this close are the same primaries
D50_XYZ = np.array([0.9642, 1.0, 0.8249])  # ICC.1:2022, 7.2.16

_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def chromaticities(values: Iterable[float]) -> Chromaticities:
    """Eight numbers as primaries: x and y of red, green, blue and white."""
    rx, ry, gx, gy, bx, by, wx, wy = map(float, values)
    return rx, ry, gx, gy, bx, by, wx, wy


def same(one: Chromaticities, other: Chromaticities) -> bool:
    """Whether two sets of chromaticities mean the same primaries."""
    return bool(np.allclose(one, other, atol=TOLERANCE, rtol=0))


def named(name: str) -> Chromaticities:
    """The chromaticities of a name in PRIMARIES. Raises RequestError for another."""
    if name not in PRIMARIES:
        raise unknown_name("set of primaries", name, PRIMARIES)
    return PRIMARIES[name]


def name_of(primaries: Chromaticities) -> str:
    """The name in PRIMARIES, or the chromaticities as text."""
    for name, known in PRIMARIES.items():
        if same(primaries, known):
            return name
    return " ".join(f"{value:.4f}" for value in primaries)


def title_of(primaries: Chromaticities) -> str:
    """The name that the field uses in sentences: `Display P3`. Others have none; `openhdr info` has their numbers."""
    return TITLES.get(name_of(primaries), "primaries of their own")


def to_xyz(primaries: Chromaticities) -> np.ndarray:
    """(3, 3) float64: linear RGB -> XYZ with Y of white = 1. Raises ValueError for impossible primaries."""
    xy = np.asarray(primaries, dtype=np.float64).reshape(4, 2)
    if not np.isfinite(xy).all() or xy[3, 1] == 0:
        raise ValueError(f"chromaticities {tuple(primaries)} are impossible")
    columns = np.stack([xy[:, 0], xy[:, 1], 1 - xy.sum(1)])  # of red, green, blue, white
    if abs(np.linalg.det(columns[:, :3])) < 1e-9:
        raise ValueError(f"chromaticities {tuple(primaries)} are impossible")
    return columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3] / xy[3, 1])


def adaptation(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(3, 3) float64: XYZ under white `source` -> XYZ under white `target`, both (3,) XYZ."""
    cones = (_BRADFORD @ target) / (_BRADFORD @ source)
    return np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD


def conversion(source: Chromaticities, target: Chromaticities) -> np.ndarray:
    """(3, 3) float32: linear RGB of `source` -> linear RGB of `target`, white to white."""
    from_source, from_target = to_xyz(source), to_xyz(target)
    adapt = adaptation(from_source.sum(1), from_target.sum(1))
    return (np.linalg.inv(from_target) @ adapt @ from_source).astype(np.float32)
