"""Pictures whose file says by code points how values stand for light (ITU-T H.273), as PNG and AVIF do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from openhdr.core.errors import FileError
from openhdr.core.image import Image
from openhdr.io.pixels import clean
from openhdr.io.primaries import P3_D65, REC2020, to_rec709

# H.273 table 2 and 3
UNSPECIFIED = 2
PRIMARIES = {1: "Rec.709", 9: "Rec.2020", 12: "Display P3"}
MATRICES = {9: REC2020, 12: P3_D65}
LINEAR, PQ, HLG = 8, 16, 18
READ_AS_SRGB = (1, 2, 4, 5, 6, 13, 14, 15)  # Rec.709-like camera curves: display as sRGB does

# SMPTE ST 2084:2014, 5.2
PQ_M1, PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
PQ_C1, PQ_C2, PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
PQ_PEAK = 10000.0  # cd/m2
REFERENCE_WHITE = 203.0  # cd/m2 that become 1.0 (ITU-R BT.2408-7, 2.1)


@dataclass(frozen=True)
class Coding:
    """Code points of primaries and transfer curve; the default is sRGB."""

    primaries: int = 1
    transfer: int = 13

    @property
    def is_linear(self) -> bool:
        """Whether reading gives linear light."""
        return self.transfer in (LINEAR, PQ)


def decode_signal(image: Image, coding: Coding, path: Path) -> Image:
    """Code values as read -> the same image in sRGB code values, or in linear light for PQ and linear files.

    PQ: float32, 1.0 = 203 cd/m2 (`white_luminance` in the metadata). Raises FileError for other curves.
    """
    if coding.transfer in READ_AS_SRGB:
        other = coding.primaries not in (1, UNSPECIFIED)
        name = PRIMARIES.get(coding.primaries, f"number {coding.primaries}")
        return (
            image.with_notes(f"The primaries are {name}; code values were read as sRGB.") if other else image
        )
    if not coding.is_linear or coding.primaries not in (1, UNSPECIFIED, *MATRICES):
        curve = "HLG" if coding.transfer == HLG else f"transfer curve {coding.transfer}"
        raise FileError(
            path,
            f"stores {curve} with primaries {coding.primaries} (H.273)",
            "openhdr reads sRGB, PQ and linear of Rec.709, P3 or Rec.2020 primaries; convert it first",
        )
    linear = image.pixels.astype(np.float32) / np.float32(image.full_scale)
    note, metadata = "The file stores linear light.", dict(image.metadata)
    if coding.transfer == PQ:
        linear = pq_decode(linear) / np.float32(REFERENCE_WHITE)
        note = f"PQ values were decoded to linear light; 1.0 = {REFERENCE_WHITE:g} cd/m2."
        metadata["white_luminance"] = REFERENCE_WHITE
    notes = (note,)
    if coding.primaries in MATRICES:
        linear = linear @ to_rec709(MATRICES[coding.primaries]).T
        notes += (f"{PRIMARIES[coding.primaries]} primaries were converted to Rec.709.",)
    linear, changed = clean(np.ascontiguousarray(linear))
    return replace(
        image, pixels=linear, encoding="linear", metadata=metadata, notes=image.notes + notes + changed
    )


def pq_decode(code: np.ndarray) -> np.ndarray:
    """PQ signal 0..1 -> cd/m2, float of the same dtype (ST 2084, equation 4.1)."""
    power = np.power(code, 1 / PQ_M2)
    light = np.maximum(power - PQ_C1, 0) / (PQ_C2 - PQ_C3 * power)
    return (PQ_PEAK * np.power(light, 1 / PQ_M1)).astype(code.dtype)
