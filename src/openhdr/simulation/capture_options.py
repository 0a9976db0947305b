"""What may be fixed of a simulated bracket; everything else is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from openhdr.core.errors import RequestError
from openhdr.core.options import option

if TYPE_CHECKING:
    from openhdr.simulation.config import SimulationConfig

_MOST_PIXELS = 200_000_000
_RANGES = {"iso": (25, 102400), "jpeg": (1, 100), "clip_share": (0, 0.9)}


@dataclass(frozen=True)
class CaptureOptions:
    """How a bracket is taken. None = drawn. Raises RequestError for a value that is not offered."""

    size: str = option("Width x height in pixels.", "576x384")
    camera: Literal["plain", "varied", "real"] = option(
        "plain = sRGB and noise; varied = everything drawn; real = lens, picture style, processing, JPEG.",
        "plain",
    )
    response: Literal["srgb", "linear", "gamma", "sigmoid"] | None = option("Family of the curve.", None)
    iso: float | None = option("Sensitivity, 25 to 102400; drawn otherwise.", None)
    bits: int | None = option("Depth of the codes: 8, 10 or 12.", None)
    jpeg: int | None = option("Compress at this quality, 1 to 100.", None)
    array: Literal["rggb", "bggr", "grbg", "gbrg", "xtrans", "mono"] | None = option(
        "Write DNG files with the values of a sensor behind this colour filter array.", None
    )
    clip_share: float | None = option("Share of the reference's pixels that clip, 0 to 0.9.", None)
    still: bool = option("Nothing moves in the scene.", False)
    tripod: bool = option("The camera does not move.", False)
    rolling_reference: bool = option("Any frame may be the reference.", False)

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise RequestError(f"`{name}={value:g}`: expected {least} to {most}")
        if self.bits not in (None, 8, 10, 12):
            raise RequestError(f"`bits={self.bits}`: expected 8, 10 or 12")
        if self.camera == "real" and (self.response or self.bits not in (None, 8)):
            raise RequestError(
                "`camera='real'` makes 8-bit photos by a picture style; leave `response` and `bits` out"
            )
        if self.array and (self.camera != "plain" or self.response or self.bits or self.jpeg):
            raise RequestError(
                f"`array={self.array}` makes sensor values; leave `camera`, `response`, `bits` and `jpeg` out"
            )
        if self.jpeg and self.bits not in (None, 8):
            raise RequestError(f"`jpeg` compresses 8-bit images; got `bits={self.bits}`")
        width, cross, height = self.size.lower().partition("x")
        if not (cross and width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= 16):
            raise RequestError(
                f"`size={self.size}`: expected width x height of 16 pixels or more, such as 576x384"
            )
        if int(width) * int(height) > _MOST_PIXELS:
            raise RequestError(f"`size={self.size}` is more than {_MOST_PIXELS} pixels")

    @property
    def config(self) -> SimulationConfig:
        """The distributions that brackets are drawn from."""
        from openhdr.simulation import config as of  # the command's help does without NumPy
        from openhdr.simulation.distributions import Fixed

        exposure = of.ExposureConfig(rolling_reference=self.rolling_reference)
        if self.clip_share is not None:
            exposure = replace(exposure, clip_share=Fixed(self.clip_share))
        width, height = map(int, self.size.lower().split("x"))
        config = of.SimulationConfig(
            size=(width, height),
            exposure=exposure,
            shake=of.ShakeConfig(still_share=1.0 if self.tripod else 0.0),
            objects=of.ObjectConfig(still_share=1.0) if self.still else of.ObjectConfig(),
            camera=of.varied_camera() if self.camera == "varied" else of.CameraConfig(),
        )
        camera = of.real(config).camera if self.camera == "real" else config.camera
        if self.response:
            camera = replace(camera, responses=(self.response,))
        if self.array:
            camera = replace(camera, array=self.array)
        if self.iso:
            camera = replace(camera, iso=Fixed(self.iso))
        if self.bits:
            camera = replace(camera, bits=(self.bits,))
        if self.jpeg:
            camera = replace(camera, bits=(8,), jpeg_share=1.0, jpeg_quality=Fixed(self.jpeg))
        return replace(of.real(config) if self.camera == "real" else config, camera=camera)
