"""Drawing a bracket: a seed and distributions in, a plan with every number out.

Each part has its own random stream, derived from the seed, so that drawing one thing more in one part leaves
the others as they were.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openhdr.core.errors import ExposureError
from openhdr.core.image import middle_exposure
from openhdr.simulation import picture_style
from openhdr.simulation.config import CameraConfig, ProcessingConfig, ShakeConfig, SimulationConfig
from openhdr.simulation.distributions import Distribution, choose
from openhdr.simulation.draw_objects import draw_objects
from openhdr.simulation.draw_view import draw_view
from openhdr.simulation.lens import Lens
from openhdr.simulation.picture_style import PictureStyle
from openhdr.simulation.plan import CameraPlan, FramePlan, ScenePlan, SensorPlan, settled
from openhdr.simulation.processing import Processing
from openhdr.simulation.scene import Scene
from openhdr.simulation.shake import Shake

STREAMS = ("view", "exposure", "shake", "objects", "camera", "frames", "processing")
_LEAST_RADIANCE = 1e-9  # a view without light still needs an anchor
_WHITE = 16000.0  # code at which simulated sensors clip, of 14 bits
_MOST_OPEN = 0.9  # of a frame interval that a shutter is open


def draw_plan(
    scene: Scene,
    others: Sequence[Scene],
    config: SimulationConfig,
    seed: int,
    ev: Sequence[float] | None = None,
) -> ScenePlan:
    """Draw one bracket of `scene`, with moving objects cut from `others` (none = from the scene itself).

    ev: exposures in stops instead of drawn ones; only differences matter, equal ones make a burst. Raises
    ExposureError when there is but one.
    """
    seeds = np.random.SeedSequence(seed).spawn(len(STREAMS))
    rngs = {name: np.random.default_rng(own) for name, own in zip(STREAMS, seeds, strict=True)}
    pose, focal_px, samples = draw_view(scene, config, rngs["view"])
    centre = ((config.size[0] - 1) / 2, (config.size[1] - 1) / 2)
    stops, reference = _draw_exposures(config, rngs["exposure"], ev)
    clip_share = config.exposure.clip_share.draw(rngs["exposure"])
    anchor = max(float(np.quantile(samples.max(axis=0), 1 - clip_share)), _LEAST_RADIANCE)
    plan = ScenePlan(
        seed=seed,
        scene=scene.name,
        view=pose,
        focal_px=focal_px,
        enlargement=scene.view(pose, focal_px, centre).enlargement,
        size=config.size,
        detail=config.view.detail.draw(rngs["view"]),
        clip_share=clip_share,
        anchor=anchor,
        reference=reference,
        frames=_draw_frames(config, stops, reference, rngs),
        objects=draw_objects(others or [scene], config, (len(stops), reference, anchor), rngs["objects"]),
        camera=_draw_camera(config.camera, rngs["camera"], rngs["processing"]),
    )
    return settled(plan)


def _draw_exposures(
    config: SimulationConfig, rng: np.random.Generator, ev: Sequence[float] | None
) -> tuple[np.ndarray, int]:
    """Stops relative to the reference, shortest first, and the index of the reference."""
    drawn = choose(config.exposure.ev_patterns, rng)
    stops = np.sort(np.asarray(drawn if ev is None else ev, dtype=np.float64))
    if len(stops) < 2 or not np.isfinite(stops).all() or np.ptp(stops) > 30:
        raise ExposureError(
            f"exposures {','.join(f'{stop:g}' for stop in stops)}; expected two or more numbers of "
            "stops within a range of 30, such as -2,0,2"
        )
    rolled = int(rng.integers(len(stops)))
    reference = rolled if config.exposure.rolling_reference else middle_exposure(stops)
    return stops - stops[reference], reference


def _draw_frames(
    config: SimulationConfig, stops: np.ndarray, reference: int, rngs: dict[str, np.random.Generator]
) -> tuple[FramePlan, ...]:
    scale = config.size[0] / config.nominal_width
    rng = rngs["frames"]
    still = rngs["shake"].random() < config.shake.still_share
    open_share = config.camera.open_share.draw(rng)
    frames = []
    for index, ev in enumerate(stops):
        shake = _draw_shake(config.shake, scale, rngs["shake"])
        drift = _white_balance(config.camera.drift_stops, rng)
        error = config.camera.error_stops.draw(rng)
        angle, length = 2 * np.pi * rng.random(), config.shake.turn_px.draw(rng) * scale
        sweep = (0.0, 0.0) if still else (float(length * np.cos(angle)), float(length * np.sin(angle)))
        frames.append(
            FramePlan(
                ev=float(ev),
                ev_error=0.0 if index == reference else error,
                shake=Shake() if still or index == reference else shake,
                drift=(1.0, 1.0, 1.0) if index == reference else drift,
                open_share=float(min(open_share * 2.0**ev, _MOST_OPEN)),
                sweep_px=sweep,
                noise_seed=int(rng.integers(2**63)),
            )
        )
    return tuple(frames)


def _draw_shake(config: ShakeConfig, scale: float, rng: np.random.Generator) -> Shake:
    angles = 2 * np.pi * rng.random(2)
    turn, step = config.turn_px.draw(rng) * scale, config.step_px.draw(rng) * scale
    return Shake(
        turn_x_px=float(turn * np.cos(angles[0])),
        turn_y_px=float(turn * np.sin(angles[0])),
        roll_deg=config.roll_deg.draw(rng),
        step_x_px=float(step * np.cos(angles[1])),
        step_y_px=float(step * np.sin(angles[1])),
        zoom=float(2.0 ** config.zoom_stops.draw(rng)),
    )


def _draw_camera(config: CameraConfig, rng: np.random.Generator, further: np.random.Generator) -> CameraPlan:
    iso = config.iso.draw(rng)
    gamma, n, a = config.gamma.draw(rng), config.sigmoid_n.draw(rng), config.sigmoid_a.draw(rng)
    names = {"gamma": f"gamma:{gamma:.4f}", "sigmoid": f"sigmoid:{max(n, 0.3):.4f}:{max(a, 0.1):.4f}"}
    response, bits = choose(config.responses, rng), choose(config.bits, rng)
    processing = _draw_processing(config.processing, further) if config.processing else None
    styled = _draw_styles(config.processing, further) if config.processing else None
    compressed, quality = rng.random() < config.jpeg_share, round(config.jpeg_quality.draw(rng))
    return CameraPlan(
        iso=iso,
        noise=config.sensor.noise(iso),
        response=styled or names.get(response, response),
        vignetting=config.vignetting.draw(rng),
        cast=_white_balance(config.cast_stops, rng),
        bits=bits,
        jpeg_quality=quality if compressed and bits == 8 else 0,
        processing=processing,
        sensor=_draw_sensor(config, further) if config.array else None,
    )


def _draw_sensor(config: CameraConfig, rng: np.random.Generator) -> SensorPlan:
    neutral = (config.neutral_red.draw(rng), 1.0, config.neutral_blue.draw(rng))
    upper_left, upper_right, lower_left, lower_right = np.rint(rng.uniform(480, 544, 4)).tolist()
    black = (upper_left, upper_right, lower_left, lower_right)
    return SensorPlan(config.array, neutral, black, _WHITE)


def _draw_processing(config: ProcessingConfig, rng: np.random.Generator) -> Processing:
    return Processing(
        lens=Lens(config.magnification.draw(rng), config.magnification.draw(rng), config.glare.draw(rng)),
        local_tone=config.local_tone.draw(rng),
        bleach=config.bleach.draw(rng),
        bleach_knee=config.bleach_knee.draw(rng),
        denoise_luma=config.denoise_luma.draw(rng),
        denoise_chroma=config.denoise_chroma.draw(rng),
        sharpen=config.sharpen.draw(rng),
        sharpen_px=config.sharpen_px.draw(rng),
        subsampling=choose(config.subsamplings, rng),
    )


def _draw_styles(config: ProcessingConfig, rng: np.random.Generator) -> str:
    """The picture style as the name of a response: red and blue differ a little from green."""
    contrasts = (config.shadows, config.middle, config.highlights)
    green = PictureStyle(*[one.draw(rng) for one in (*contrasts, config.black)])

    def beside() -> PictureStyle:
        spread = [float(np.exp(config.channel_spread.draw(rng))) for _ in contrasts]
        black = green.black + (config.black_spread.draw(rng) if green.black else 0.0)
        return PictureStyle(
            green.shadows * spread[0], green.middle * spread[1], green.highlights * spread[2], black
        )

    return picture_style.name_of((beside(), green, beside()))


def _white_balance(stops: Distribution, rng: np.random.Generator) -> tuple[float, float, float]:
    red, blue = stops.draw(rng), stops.draw(rng)
    return float(2.0**red), 1.0, float(2.0**blue)
