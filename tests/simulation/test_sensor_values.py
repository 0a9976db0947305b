"""Brackets of sensor values: DNG files with known light behind a colour filter array."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from openhdr import io
from openhdr.camera.demosaic import develop
from openhdr.camera.mosaic import ARRAYS
from openhdr.core.errors import RequestError
from openhdr.data.simulated import write_bracket
from openhdr.simulation.capture_options import CaptureOptions
from openhdr.simulation.config import CameraConfig, ObjectConfig, ShakeConfig, SimulationConfig, ViewConfig
from openhdr.simulation.distributions import Fixed
from openhdr.simulation.draw_plan import draw_plan
from openhdr.simulation.render import Simulated, render
from openhdr.simulation.scene import make_scene

STILL = SimulationConfig(
    size=(120, 96),
    view=ViewConfig(tries=1),
    shake=ShakeConfig(still_share=1.0),
    objects=ObjectConfig(still_share=1.0),
    camera=CameraConfig(iso=Fixed(100.0)),
)


def bracket(array: str) -> tuple[Simulated, SimulationConfig]:
    y, x = np.mgrid[:128, :256]
    light = np.exp(np.cos(x / 9) + np.sin(y / 7))[..., None] * np.array([1.0, 0.8, 0.5])
    config = replace(STILL, camera=replace(STILL.camera, array=array))
    scene = make_scene("waves", light.astype(np.float32))
    return render(draw_plan(scene, (), config, 5, ev=(-2, 0, 2)), [scene]), config


@pytest.mark.parametrize("array", list(ARRAYS))
def test_developed_files_show_the_truth(array: str, tmp_path: Path) -> None:
    result, config = bracket(array)
    write_bracket(result, tmp_path, config, masks=False)
    truth = io.read(tmp_path / "gt.exr").pixels
    for number, ev in enumerate(result.plan.ev):
        mosaic = io.read_mosaic(tmp_path / f"{number}.dng")
        assert mosaic.exposure.time_s == pytest.approx(2.0**ev / 60, rel=1e-3)
        assert mosaic.noise.shot == pytest.approx(result.plan.camera.noise.shot, rel=1e-4)
        if array == "mono":
            continue
        light = develop(mosaic)
        clear = cv2.erode(((truth * 2.0**ev).max(axis=2) < 0.9).astype(np.uint8), np.ones((9, 9))) > 0
        ratio = light[clear].mean(axis=0) / (truth[clear].mean(axis=0) * 2.0**ev)
        np.testing.assert_allclose(ratio, 1, atol=0.02)


def test_noise_of_sites_is_the_stated_line() -> None:
    """Photon transfer: the variance of equal light, over two brackets of other seeds, against the model."""
    one, _ = bracket("rggb")
    plan = replace(one.plan, frames=tuple(replace(f, noise_seed=f.noise_seed + 1) for f in one.plan.frames))
    y, x = np.mgrid[:128, :256]
    light = np.exp(np.cos(x / 9) + np.sin(y / 7))[..., None] * np.array([1.0, 0.8, 0.5])
    other = render(plan, [make_scene("waves", light.astype(np.float32))])
    sensor = plan.camera.sensor
    scale = sensor.white - np.mean(sensor.black)
    first, second = (np.asarray(r.frames[0], float) for r in (one, other))
    mean = ((first + second) / 2 - np.mean(sensor.black)) / scale
    bright = mean > 0.05
    measured = np.var((first - second)[bright]) / 2 / scale**2
    assert measured == pytest.approx(plan.camera.noise.variance(mean[bright]).mean(), rel=0.08)


def test_clipped_sites_hold_the_white_level() -> None:
    result, _ = bracket("grbg")
    assert result.clipped[2].mean() > 0.05
    assert max(frame.max() for frame in result.frames) == result.plan.camera.sensor.white


def test_options_that_make_photos_are_refused() -> None:
    assert CaptureOptions(array="bggr").config.camera.array == "bggr"
    with pytest.raises(RequestError, match="array=rggb"):
        CaptureOptions(array="rggb", camera="real")
