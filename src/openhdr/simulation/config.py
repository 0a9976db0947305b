"""What a simulated bracket is drawn from: every distribution, with its unit and where it comes from.

The ranges follow what published training sets use: EV steps of 2 or 3 (Kalantari 2017), 1 to 3 and mixed
(NTIRE 2021), 5 to 30 % of pixels clipped (HDRCNN's virtual camera: 5 to 15 %, up to 30 % for pre-training),
JPEG quality 30 to 100 and the sigmoid response n ~ N(0.9, 0.1), a ~ N(0.6, 0.1) (HDRCNN), JPEG 90 to 100
(SingleHDR). What they leave open (hand shake, objects, noise) is set so that images look hand-held.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from openhdr.camera.noise import Sensor
from openhdr.simulation.distributions import Distribution, Fixed, LogUniform, Mixture, Normal, Uniform

EV_PATTERNS = (
    (-1.0, 0.0, 1.0),
    (-2.0, 0.0, 2.0),
    (-3.0, 0.0, 3.0),
    (-1.0, 0.0, 2.0),
    (-2.0, 0.0, 1.0),
    (-2.0, 0.0, 3.0),
    (-3.0, 0.0, 2.0),
)


@dataclass(frozen=True)
class ViewConfig:
    """The virtual camera in the scene."""

    yaw_deg: Distribution = Uniform(-180, 180)
    pitch_deg: Distribution = Normal(2, 8)
    roll_deg: Distribution = Normal(0, 2)
    field_of_view_deg: Distribution = Uniform(50, 85)  # horizontal: a 39 to 20 mm lens on 36 x 24 mm
    enlargement: Distribution | None = None  # panoramas: drawn instead of the field of view
    crop_share: Distribution = Uniform(0.7, 0.95)  # flat images: share of the largest crop that fits
    detail: Distribution = Fixed(0.0)  # strength of what is added between the scene's pixels, see `detail`
    tries: int = 6  # views drawn; the one with the widest range of light is kept


@dataclass(frozen=True)
class ExposureConfig:
    """Exposures of the bracket."""

    ev_patterns: tuple[tuple[float, ...], ...] = EV_PATTERNS  # one is chosen; only differences matter
    clip_share: Distribution = LogUniform(0.03, 0.35)  # share of the reference's still pixels that clip
    rolling_reference: bool = False  # True: any frame may be the reference; False: the middle exposure


@dataclass(frozen=True)
class ShakeConfig:
    """How the hand moves between the reference and each other frame."""

    turn_px: Distribution = LogUniform(1.5, 16)  # shift of the centre by turning, any direction
    step_px: Distribution = LogUniform(0.3, 4)  # shift by moving sideways, any direction
    roll_deg: Distribution = Normal(0, 0.5)
    zoom_stops: Distribution = Normal(0, 0.006)  # log2 of the scale
    still_share: float = 0.0  # share of brackets from a tripod


TRIPOD = ShakeConfig(
    turn_px=Mixture(0.5, Fixed(0.0), LogUniform(0.05, 0.6)),
    step_px=Fixed(0.0),
    roll_deg=Fixed(0.0),
    zoom_stops=Fixed(0.0),
)
"""A tripod that gives way a little when the shutter is pressed."""


@dataclass(frozen=True)
class ObjectConfig:
    """What moves in the scene."""

    still_share: float = 0.15  # share of brackets where nothing moves
    most: int = 4  # 1 to so many objects otherwise
    kinds: tuple[str, ...] = ("walker", "walker", "vehicle", "blob", "foliage")
    height_share: Distribution = LogUniform(0.15, 0.7)  # of the frame's height
    speed_px: Distribution = LogUniform(4, 70)  # per frame interval
    steepness_deg: Distribution = Normal(0, 12)  # angle of its path against the horizontal
    wander_px: Distribution = Uniform(0, 4)  # on top of the straight path
    turn_deg: Distribution = Normal(0, 3)  # per frame interval
    growth_stops: Distribution = Normal(0, 0.03)  # log2 of size per frame interval
    stride: Distribution = Uniform(0.5, 1.6)  # radians of its own movement per frame interval
    level: Distribution = Mixture(
        0.85, LogUniform(0.02, 0.6), LogUniform(0.6, 4)
    )  # median, reference clips at 1
    softness_px: Distribution = Uniform(1.0, 3.0)


@dataclass(frozen=True)
class ProcessingConfig:
    """Lens and processing of a real camera. Published facts and what brackets of phones and cameras showed."""

    magnification: Distribution = Normal(0, 0.0003)  # of the red and of the blue image, less 1
    glare: Distribution = LogUniform(0.0005, 0.008)  # share of light; McCann and Rizzi 2007
    shadows: Distribution = Uniform(1.3, 1.9)  # contrast of the picture style, see `picture_style`
    middle: Distribution = Uniform(0.75, 1.35)
    highlights: Distribution = Uniform(0.2, 0.45)
    channel_spread: Distribution = Normal(0, 0.04)  # logarithm of a channel's contrast against green's
    black: Distribution = Mixture(0.4, Fixed(0.0), Uniform(0, 4))  # 8-bit codes crushed to 0
    black_spread: Distribution = Uniform(0, 1)  # ... in red and blue beyond green's
    local_tone: Distribution = Mixture(0.5, Fixed(0.0), Uniform(0.02, 0.2))
    bleach: Distribution = Mixture(0.3, Fixed(0.0), Uniform(0, 1))
    bleach_knee: Distribution = Uniform(0.6, 0.95)
    denoise_luma: Distribution = LogUniform(1, 4)
    denoise_chroma: Distribution = LogUniform(1.5, 8)
    sharpen: Distribution = Uniform(0, 1.0)
    sharpen_px: Distribution = Uniform(0.6, 1.4)
    subsamplings: tuple[str, ...] = ("4:2:0", "4:2:2", "4:4:4")  # one is chosen


@dataclass(frozen=True)
class CameraConfig:
    """The camera. The defaults are a plain one; `varied_camera` and `real_camera` draw everything."""

    sensor: Sensor = Sensor()
    iso: Distribution = LogUniform(100, 1600)
    responses: tuple[str, ...] = ("srgb",)  # srgb, linear, gamma or sigmoid: one is chosen
    gamma: Distribution = Uniform(1.8, 2.6)
    sigmoid_n: Distribution = Normal(0.9, 0.1)
    sigmoid_a: Distribution = Normal(0.6, 0.1)
    vignetting: Distribution = Fixed(0.0)  # share of light lost in the corners
    cast_stops: Distribution = Fixed(0.0)  # white-balance error of the whole bracket: log2 gain of R, of B
    drift_stops: Distribution = Fixed(0.0)  # ... of each frame against the reference
    error_stops: Distribution = Fixed(
        0.0
    )  # true exposure of each frame but the reference, less the declared one
    open_share: Distribution = Fixed(0.0)  # of a frame interval that the reference's shutter is open
    bits: tuple[int, ...] = (8,)  # 8, 10 or 12: one is chosen
    jpeg_share: float = 0.0  # share of brackets compressed as JPEG (8 bits only)
    jpeg_quality: Distribution = Uniform(70, 100)
    processing: ProcessingConfig | None = None  # None = codes are recorded light through the response
    array: str = (
        ""  # colour filter array, by name (camera.mosaic.ARRAYS): frames are sensor values; "" = photos
    )
    neutral_red: Distribution = LogUniform(0.4, 0.7)  # what the sensor shows of white, green is 1
    neutral_blue: Distribution = LogUniform(0.45, 0.8)


@dataclass(frozen=True)
class SimulationConfig:
    """Everything that a simulated bracket is drawn from."""

    size: tuple[int, int] = (576, 384)  # (width, height) in pixels
    nominal_width: int = 576  # pixel distances are for frames this wide and scale with the width
    view: ViewConfig = field(default_factory=ViewConfig)
    exposure: ExposureConfig = field(default_factory=ExposureConfig)
    shake: ShakeConfig = field(default_factory=ShakeConfig)
    objects: ObjectConfig = field(default_factory=ObjectConfig)
    camera: CameraConfig = field(default_factory=CameraConfig)


def varied_camera() -> CameraConfig:
    """A camera of which everything is drawn."""
    return CameraConfig(
        responses=("srgb", "gamma", "sigmoid"),
        vignetting=Uniform(0, 0.35),
        cast_stops=Normal(0, 0.12),
        drift_stops=Normal(0, 0.02),
        open_share=Mixture(0.6, Fixed(0.0), Uniform(0, 0.15)),
        bits=(8, 10, 12),
        jpeg_share=0.4,
    )


def real_camera() -> CameraConfig:
    """Cameras as people have them: lens faults, picture styles, processing, JPEG, inexact exposures."""
    return CameraConfig(
        iso=LogUniform(40, 1600),
        vignetting=Uniform(0, 0.3),
        drift_stops=Normal(0, 0.005),
        error_stops=Normal(0, 0.035),
        open_share=Mixture(0.5, Fixed(0.0), LogUniform(0.005, 0.12)),
        jpeg_share=1.0,
        jpeg_quality=Mixture(0.75, Uniform(92, 98), Uniform(80, 92)),
        processing=ProcessingConfig(),
    )


def real(config: SimulationConfig) -> SimulationConfig:
    """The same brackets taken by real cameras, with detail where a scene is enlarged."""
    return replace(config, view=replace(config.view, detail=Uniform(0.1, 0.5)), camera=real_camera())


def training(size: int = 128) -> SimulationConfig:
    """Patches for training: motion of so many pixels as in a large photo, little enlargement, any camera.

    Free panoramas hold about 3 pixels a degree. Views are enlarged by 1 to 2.5, so that some patches are
    sharp and others soft, as photos are.
    """
    return SimulationConfig(
        size=(size, size),
        nominal_width=size,
        view=ViewConfig(enlargement=LogUniform(1.0, 2.5), pitch_deg=Normal(0, 14), tries=2),
        exposure=ExposureConfig(clip_share=LogUniform(0.02, 0.45)),
        shake=ShakeConfig(turn_px=LogUniform(0.3, 12), still_share=0.1),
        objects=ObjectConfig(
            still_share=0.3, most=3, height_share=LogUniform(0.2, 1.0), speed_px=LogUniform(1, 40)
        ),
        camera=varied_camera(),
    )
