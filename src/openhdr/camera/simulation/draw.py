"""Drawing a bracket: a seed and distributions in, a plan with every number out.

Each part has its own random stream, derived from the seed, so that drawing one thing more in one part leaves
the others as they were.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openhdr.camera.simulation.config import NOMINAL_WIDTH, CameraConfig, ShakeConfig, SimulationConfig
from openhdr.camera.simulation.draw_objects import draw_objects
from openhdr.camera.simulation.draw_view import draw_view
from openhdr.camera.simulation.distributions import choose
from openhdr.camera.simulation.plan import CameraPlan, FramePlan, ScenePlan
from openhdr.camera.simulation.scene import Scene
from openhdr.camera.simulation.shake import Shake
from openhdr.core.image import middle_exposure

STREAMS = ("view", "exposure", "shake", "objects", "camera", "frames")


def draw_plan(
    scene: Scene,
    others: Sequence[Scene],
    config: SimulationConfig,
    seed: int,
    ev: Sequence[float] | None = None,
) -> ScenePlan:
    """Draw one bracket of `scene`, with moving objects cut from `others` (none = from the scene itself).

    ev: exposures in stops instead of drawn ones; only differences matter.
    """
    rngs = dict(
        zip(STREAMS, (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(6)), strict=True)
    )
    pose, focal_px, samples = draw_view(scene, config, rngs["view"])
    centre = ((config.size[0] - 1) / 2, (config.size[1] - 1) / 2)
    stops, reference = _draw_exposures(config, rngs["exposure"], ev)
    clip_share = config.exposure.clip_share.draw(rngs["exposure"])
    anchor = max(float(np.quantile(samples.max(axis=0), 1 - clip_share)), 1e-9)
    return ScenePlan(
        seed=seed,
        scene=scene.name,
        view=pose,
        focal_px=focal_px,
        enlargement=scene.view(pose, focal_px, centre).enlargement,
        size=config.size,
        anchor=anchor,
        reference=reference,
        frames=_draw_frames(config, stops, reference, rngs),
        objects=draw_objects(others or [scene], config, (len(stops), reference, anchor), rngs["objects"]),
        camera=_draw_camera(config.camera, rngs["camera"]),
    )


def _draw_exposures(config: SimulationConfig, rng: np.random.Generator, ev: Sequence[float] | None) -> tuple:
    """Stops relative to the reference, shortest first, and the index of the reference."""
    stops = np.sort(
        np.asarray(choose(config.exposure.ev_patterns, rng) if ev is None else ev, dtype=np.float64)
    )
    rolled = int(rng.integers(len(stops)))
    reference = rolled if config.exposure.rolling_reference else middle_exposure(stops)
    return stops - stops[reference], reference


def _draw_frames(
    config: SimulationConfig, stops: np.ndarray, reference: int, rngs: dict
) -> tuple[FramePlan, ...]:
    scale = config.size[0] / NOMINAL_WIDTH
    rng = rngs["frames"]
    still = rngs["shake"].random() < config.shake.still_share
    open_share = config.camera.open_share.draw(rng)
    frames = []
    for index, ev in enumerate(stops):
        shake = _draw_shake(config.shake, scale, rngs["shake"])
        drift = _white_balance(config.camera.drift_stops, rng)
        angle, length = 2 * np.pi * rng.random(), config.shake.turn_px.draw(rng) * scale
        frames.append(
            FramePlan(
                ev=float(ev),
                shake=Shake() if still or index == reference else shake,
                drift=(1.0, 1.0, 1.0) if index == reference else drift,
                open_share=float(min(open_share * 2.0**ev, 0.9)),
                sweep_px=(0.0, 0.0)
                if still
                else (float(length * np.cos(angle)), float(length * np.sin(angle))),
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


def _draw_camera(config: CameraConfig, rng: np.random.Generator) -> CameraPlan:
    iso = config.iso.draw(rng)
    gamma, n, a = config.gamma.draw(rng), config.sigmoid_n.draw(rng), config.sigmoid_a.draw(rng)
    names = {"gamma": f"gamma:{gamma:.4f}", "sigmoid": f"sigmoid:{max(n, 0.3):.4f}:{max(a, 0.1):.4f}"}
    response, bits = choose(config.responses, rng), choose(config.bits, rng)
    compressed, quality = rng.random() < config.jpeg_share, round(config.jpeg_quality.draw(rng))
    return CameraPlan(
        iso=iso,
        noise=config.sensor.noise(iso),
        response=names.get(response, response),
        vignetting=config.vignetting.draw(rng),
        cast=_white_balance(config.cast_stops, rng),
        bits=bits,
        jpeg_quality=quality if compressed and bits == 8 else 0,
    )


def _white_balance(law, rng: np.random.Generator) -> tuple[float, float, float]:
    red, blue = law.draw(rng), law.draw(rng)
    return float(2.0**red), 1.0, float(2.0**blue)
