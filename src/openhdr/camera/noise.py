"""Photon and read noise of a sensor.

Light is measured in units of the level where the sensor clips. With N electrons at that level the photon
count of light x is Poisson with mean N x, and the read-out adds a Gaussian, so

    variance(x) = shot * x + read^2,     shot = 1 / N

a straight line in x (the photon transfer line; Janesick, Photon Transfer, 2007, chapter 2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BASE_ISO = 100.0
_SATURATED = 4.0  # light this far above clipping clips whatever the noise: caps the Poisson mean


@dataclass(frozen=True)
class Sensor:
    """A sensor at base ISO; the defaults are of the size of an APS-C or large phone sensor's binned pixel."""

    full_well_e: float = 20000.0  # electrons at the clipping level at BASE_ISO
    read_front_e: float = 2.5  # electrons rms before the amplifier: the same at every ISO
    read_back_e: float = 8.0  # electrons rms after the amplifier, referred to the pixel at BASE_ISO

    def noise(self, iso: float) -> NoiseModel:
        """Noise at an ISO >= BASE_ISO / 4: the amplifier makes fewer electrons reach the clipping level."""
        gain = iso / BASE_ISO
        electrons = self.full_well_e / gain
        read_e = float(np.hypot(self.read_front_e, self.read_back_e / gain))
        return NoiseModel(shot=1 / electrons, read=read_e / electrons)


@dataclass(frozen=True)
class NoiseModel:
    """Noise in units of the clipping level."""

    shot: float  # variance per unit of light, > 0: one over the electrons at the clipping level
    read: float  # standard deviation of the read-out, >= 0

    def variance(self, linear: np.ndarray) -> np.ndarray:
        """Any shape, linear light with 1.0 = clips -> expected variance before clipping."""
        return self.shot * np.maximum(linear, 0) + self.read**2

    def add(self, linear: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A noisy copy of light: any shape -> float64; can be below 0 and above 1 (clipping comes later)."""
        electrons = np.clip(linear, 0, _SATURATED) / self.shot
        counted = rng.poisson(electrons).astype(np.float64)
        return counted * self.shot + rng.standard_normal(counted.shape) * self.read


@dataclass(frozen=True)
class PhotoNoise(NoiseModel):
    """Noise of a photo: a sensor's, and what happens to its codes after the sensor.

    codes: standard deviation, in 8-bit codes, of rounding, compression, denoising and local tone mapping; 0 = the
    sensor's noise alone.
    """

    codes: float = 0.0


TYPICAL = PhotoNoise(shot=2e-4, read=4.5e-4)
"""What is assumed of photos of which nothing was measured: 5000 electrons at clipping, 2.2 of read noise."""
