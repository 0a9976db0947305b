"""Images whose file says by code points how values stand for light (ITU-T H.273), as PNG, AVIF, HEIC and JPEG XL do.

PQ: SMPTE ST 2084:2014. HLG: ITU-R BT.2100-2, table 5, shown on a screen of 1000 cd/m2. 1.0 = SDR white, 203 cd/m2
(ITU-R BT.2408-7, 2.1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from openhdr.color.channels import brightest_channel
from openhdr.color.primaries import P3_D65, P3_DCI, REC2020, same, title_of, to_xyz
from openhdr.core.errors import FileError, RequestError
from openhdr.core.image import REC709, Chromaticities, Image
from openhdr.io.pixels import by_rows, clean

# H.273 tables 2, 3 and 4
UNSPECIFIED = 2
PRIMARIES = {1: REC709, 9: REC2020, 11: P3_DCI, 12: P3_D65}
LINEAR, SRGB, PQ, HLG = 8, 13, 16, 18
TRANSFERS = {"pq": PQ, "hlg": HLG}
READ_AS_SRGB = (1, 2, 4, 5, 6, 13, 14, 15)  # Rec.709-like camera curves: display as sRGB does
REC2020_MATRIX = 9
OTHER_PRIMARIES = {
    4: "NTSC 1953", 5: "PAL", 6: "NTSC (SMPTE 170M)", 7: "SMPTE 240M", 8: "film", 10: "CIE XYZ", 22: "EBU 3213",
}  # fmt: skip
CURVES = {
    1: "Rec.709", 4: "gamma 2.2", 5: "gamma 2.8", 6: "Rec.601", 7: "SMPTE 240M", LINEAR: "linear", 9: "logarithmic",
    10: "logarithmic", 11: "xvYCC", 12: "BT.1361", SRGB: "sRGB", 14: "Rec.2020", 15: "Rec.2020", PQ: "PQ",
    17: "digital cinema (SMPTE 428)", HLG: "HLG",
}  # fmt: skip

PQ_M1, PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
PQ_C1, PQ_C2, PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
PQ_PEAK = 10000.0  # cd/m2
HLG_A, HLG_B, HLG_C = 0.17883277, 0.28466892, 0.55991073
HLG_PEAK, HLG_GAMMA = 1000.0, 1.2  # cd/m2, and the system gamma that goes with it
REFERENCE_WHITE = 203.0  # cd/m2 that become 1.0


@dataclass(frozen=True)
class Coding:
    """Code points of primaries and transfer curve; the default is sRGB."""

    primaries: int = 1
    transfer: int = SRGB

    @property
    def is_linear(self) -> bool:
        """Whether reading gives linear light."""
        return self.transfer in (LINEAR, PQ, HLG)

    @property
    def chromaticities(self) -> Chromaticities:
        """Of the primaries; Rec.709 where they are not specified or not known."""
        return PRIMARIES.get(self.primaries, REC709)

    @property
    def primaries_name(self) -> str:
        """As the field calls them; codes without a name keep their number."""
        if self.primaries in PRIMARIES:
            return "DCI-P3" if self.primaries == 11 else title_of(PRIMARIES[self.primaries])
        return OTHER_PRIMARIES.get(self.primaries, f"number {self.primaries} of H.273")

    @property
    def curve_name(self) -> str:
        return CURVES.get(self.transfer, f"number {self.transfer} of H.273")


def coding_of(primaries: Chromaticities, transfer: int) -> Coding:
    """Code points for a file. Raises RequestError for primaries that have none."""
    for number, known in PRIMARIES.items():
        if same(primaries, known):
            return Coding(number, transfer)
    raise RequestError("files for screens are of the primaries rec709, p3 or rec2020")


def decode_signal(image: Image, coding: Coding, path: Path) -> Image:
    """Code values as read -> the same image in sRGB-curve code values, or in linear light for PQ, HLG and linear files.

    Light: float32; of PQ and HLG 1.0 = 203 cd/m2 (`white_luminance` in the metadata). Raises FileError for others.
    """
    known = coding.primaries in (UNSPECIFIED, *PRIMARIES)
    if coding.transfer in READ_AS_SRGB:
        image = replace(image, primaries=coding.chromaticities)
        note = f"The primaries are {coding.primaries_name}; they were read as Rec.709."
        return image if known else image.with_notes(note)
    if not coding.is_linear or not known:
        raise FileError(
            path,
            f"stores colours with the curve {coding.curve_name} and the primaries {coding.primaries_name}",
            "openhdr reads sRGB, PQ, HLG and linear of Rec.709, P3 or Rec.2020 primaries; convert it first",
        )
    linear, changed = clean(decode(image.pixels, coding))
    note, metadata = "The file stores linear light.", dict(image.metadata)
    if coding.transfer != LINEAR:
        curve = "PQ" if coding.transfer == PQ else "HLG"
        note = f"{curve} values were decoded to linear light; 1.0 = {REFERENCE_WHITE:g} cd/m2."
        metadata["white_luminance"] = REFERENCE_WHITE
    return replace(
        image, pixels=linear, encoding="linear", metadata=metadata, notes=(*image.notes, note, *changed),
        primaries=coding.chromaticities,
    )  # fmt: skip


def decode(codes: np.ndarray, coding: Coding) -> np.ndarray:
    """(H, W, 3) code values, uint8, uint16 or float 0..1 -> linear light, float32; PQ and HLG: 1.0 = SDR white."""
    scale = np.float32(1.0 if codes.dtype == np.float32 else 1 / np.iinfo(codes.dtype).max)
    if coding.transfer == LINEAR:
        return codes.astype(np.float32) * scale
    if codes.dtype == np.float32:  # lossy coding overshoots
        codes = np.clip(np.nan_to_num(codes), 0, 1)
    if coding.transfer == PQ:
        return by_rows(codes, lambda rows: pq_decode(rows * scale) / REFERENCE_WHITE, np.float32)
    weights = to_xyz(coding.chromaticities)[1].astype(np.float32)
    return by_rows(codes, lambda rows: hlg_decode(rows * scale, weights) / REFERENCE_WHITE, np.float32)


def encode(light: np.ndarray, coding: Coding, bits: int) -> np.ndarray:
    """(H, W, 3) linear light, 1.0 = SDR white, cut at the curve's peak -> codes: uint16 of `bits` bits.

    bits = 0: float32, 0..1.
    """
    weights = to_xyz(coding.chromaticities)[1].astype(np.float32)
    top, dtype = (2**bits - 1, np.uint16) if bits else (1, np.float32)

    def curve(rows: np.ndarray) -> np.ndarray:
        nits = rows * np.float32(REFERENCE_WHITE)
        signal = pq_encode(nits) if coding.transfer == PQ else hlg_encode(nits, weights)
        return np.rint(signal * top) if bits else signal

    return by_rows(light, curve, dtype)


def peak_of(transfer: int) -> float:
    """The brightest light that a curve holds, 1.0 = SDR white."""
    return (PQ_PEAK if transfer == PQ else HLG_PEAK) / REFERENCE_WHITE


def pq_decode(code: np.ndarray) -> np.ndarray:
    """PQ signal 0..1 -> cd/m2, float of the same dtype (ST 2084, equation 4.1)."""
    power = np.power(code, 1 / PQ_M2)
    light = np.maximum(power - PQ_C1, 0) / (PQ_C2 - PQ_C3 * power)
    return (PQ_PEAK * np.power(light, 1 / PQ_M1)).astype(code.dtype)


def pq_encode(nits: np.ndarray) -> np.ndarray:
    """cd/m2 -> PQ signal 0..1, float of the same dtype (ST 2084, equation 5.2)."""
    power = np.power(np.clip(nits / PQ_PEAK, 0, 1), PQ_M1)
    return np.power((PQ_C1 + PQ_C2 * power) / (1 + PQ_C3 * power), PQ_M2).astype(nits.dtype)


def hlg_decode(code: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """HLG signal 0..1, (..., 3) -> cd/m2 on the screen; weights: of luminance (BT.2100, inverse OETF, then OOTF)."""
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - HLG_C) / HLG_A) + HLG_B) / 12)
    luminance = (scene @ weights)[..., None]
    return (HLG_PEAK * np.maximum(luminance, 1e-9) ** (HLG_GAMMA - 1) * scene).astype(code.dtype)


def hlg_encode(nits: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """cd/m2 on the screen, (..., 3) -> HLG signal 0..1 (BT.2100, inverse OOTF, then OETF)."""
    shown = np.minimum(nits / HLG_PEAK, 1)
    luminance = (shown @ weights)[..., None]
    scene = np.clip(shown * np.maximum(luminance, 1e-9) ** ((1 - HLG_GAMMA) / HLG_GAMMA), 0, 1)
    upper = HLG_A * np.log(np.maximum(12 * scene - HLG_B, 1e-9)) + HLG_C
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), upper).astype(nits.dtype)


def light_levels(light: np.ndarray) -> tuple[int, int]:
    """MaxCLL and MaxFALL of light (1.0 = SDR white) in cd/m2: the brightest channel of all pixels, and its mean
    (CTA-861.3, annex P)."""
    brightest = brightest_channel(light)
    return round(float(brightest.max()) * REFERENCE_WHITE), round(float(brightest.mean()) * REFERENCE_WHITE)
