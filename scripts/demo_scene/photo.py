"""From scene light to photos: lens glare, exposure, sensor noise, 8-bit sRGB files with EXIF."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenEXR
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

Array = np.ndarray
EXPOSURE_IFD = 0x8769


@dataclass(frozen=True)
class Sensor:
    """Noise of the pretended camera: electrons at clipping and of read noise."""

    full_well: float = 9000.0
    read_noise: float = 4.0


@dataclass(frozen=True)
class Setting:
    """What the camera was set to for one frame."""

    seconds: Fraction
    iso: int = 400
    f_number: Fraction = Fraction(28, 5)


def halved(image: Array) -> Array:
    """Mean of every 2x2 block: (H, W, 3) -> (H/2, W/2, 3)."""
    height, width, bands = image.shape
    return image.reshape(height // 2, 2, width // 2, 2, bands).mean((1, 3))


def glare(image: Array, share: float = 0.002, reach: float = 0.05) -> Array:
    """Scattering in the lens: `share` of the light goes into a wide, falling halo.

    The halo is a sum of Gaussians up to `reach` of the width, applied in the Fourier domain with
    zero light around the picture.
    """
    height, width = image.shape[:2]
    shape = (2 * height, 2 * width)
    down = np.fft.fftfreq(shape[0])[:, None]
    across = np.fft.rfftfreq(shape[1])[None]
    sigmas = width * reach * np.array([1 / 32, 1 / 8, 1 / 2, 1.6])
    halo = sum(np.exp(-2 * (np.pi * s) ** 2 * (down**2 + across**2)) for s in sigmas) / len(sigmas)
    padded = np.zeros((*shape, 3))
    padded[:height, :width] = image
    spread = np.fft.irfft2(np.fft.rfft2(padded, axes=(0, 1)) * halo[..., None], s=shape, axes=(0, 1))
    return ((1 - share) * image + share * np.maximum(spread[:height, :width], 0)).astype(np.float32)


def shoot(light: Array, stops: float, sensor: Sensor, rng: np.random.Generator) -> Array:
    """8-bit sRGB photo (H, W, 3) of scene light (1.0 = clips at 0 stops): noise, clip, curve."""
    electrons = sensor.full_well * light.astype(np.float64) * 2.0**stops
    caught = rng.poisson(electrons) + rng.normal(0, sensor.read_noise, light.shape)
    signal = np.clip(caught / sensor.full_well, 0, 1)
    curve = np.where(signal <= 0.0031308, 12.92 * signal, 1.055 * signal ** (1 / 2.4) - 0.055)
    return np.round(255 * np.clip(curve, 0, 1)).astype(np.uint8)


def save_jpeg(path: Path, photo: Array, setting: Setting, stops: float, moment: int) -> None:
    """JPEG with the exposure facts; `moment` counts the frames, a fifth of a second apart."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "openhdr", "rendered scene"
    facts = exif.get_ifd(EXPOSURE_IFD)
    facts[0x829A] = IFDRational(setting.seconds.numerator, setting.seconds.denominator)
    facts[0x829D] = IFDRational(setting.f_number.numerator, setting.f_number.denominator)
    facts[0x8827] = setting.iso
    facts[0x9003], facts[0x9291] = "2025:06:14 16:20:05", f"{20 * moment:02d}"
    facts[0x9204] = IFDRational(int(stops), 1)
    facts[0x920A], facts[0xA405] = IFDRational(35, 1), 35
    facts[0xA001] = 1
    Image.fromarray(photo).save(path, quality=95, subsampling=0, optimize=True, exif=exif.tobytes())


def rounded(light: Array, bits: int = 7) -> Array:
    """Half floats with `bits` bits of fraction (rms error 0.2 % at 7), which compress far better."""
    drop = 10 - bits
    code = light.astype(np.float16).view(np.uint16).astype(np.uint32)
    code = (code + (1 << (drop - 1))) >> drop << drop
    return code.astype(np.uint16).view(np.float16)


def save_truth(path: Path, light: Array) -> None:
    """Half-float OpenEXR, losslessly compressed after rounding."""
    header = {"compression": OpenEXR.PIZ_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"RGB": np.ascontiguousarray(rounded(light))}) as file:
        file.write(str(path))
