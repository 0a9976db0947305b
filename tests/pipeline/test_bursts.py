"""Frames of one exposure: merged for less noise, hand-held or not, photos or sensor values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from openhdr import io
from openhdr.color.transfer import srgb_decode
from openhdr.core.errors import ExposureError
from openhdr.core.image import REC709, Image
from openhdr.data.simulated import write_bracket
from openhdr.io.pixels import in_primaries
from openhdr.pipeline.bracket_to_hdr import merge_bracket
from openhdr.pipeline.pipeline_options import MergeOptions
from openhdr.simulation.config import (
    CameraConfig,
    ExposureConfig,
    ObjectConfig,
    ShakeConfig,
    SimulationConfig,
    ViewConfig,
)
from openhdr.simulation.distributions import Fixed
from openhdr.simulation.draw_plan import draw_plan
from openhdr.simulation.render import render
from openhdr.simulation.scene import make_scene


def burst(folder: Path, count: int, array: str = "", still: bool = True, moving: bool = False) -> np.ndarray:
    """Write `count` noisy frames of one exposure; the true light."""
    rng = np.random.default_rng(3)
    coarse, fine = (cv2.resize(rng.random((512 // n, 1024 // n)), (1024, 512)) for n in (20, 4))
    light = (0.3 + 2 * (coarse > 0.6) + coarse + 0.5 * fine)[..., None] * np.array([1.0, 0.8, 0.6])
    config = SimulationConfig(
        size=(480, 320),
        view=ViewConfig(tries=1),
        exposure=ExposureConfig(clip_share=Fixed(0.005)),
        shake=ShakeConfig(still_share=float(still)),
        objects=ObjectConfig(still_share=0.0 if moving else 1.0, level=Fixed(0.4), kinds=("blob",)),
        camera=CameraConfig(array=array, iso=Fixed(3200.0)),
    )
    scene = make_scene("cards", light.astype(np.float32))
    result = render(draw_plan(scene, (), config, 2, [0.0] * count), [scene])
    write_bracket(result, folder, config, masks=False)
    return result.truth


def error(pixels: np.ndarray, truth: np.ndarray) -> float:
    """Root mean square of the logarithm of light that does not clip."""
    seen = (truth < 0.8).all(axis=2) & (truth > 0.02).all(axis=2)
    return float(np.sqrt(np.mean(np.square(np.log2((pixels[seen] + 0.01) / (truth[seen] + 0.01))))))


def _light(files: list[Path], options: MergeOptions) -> np.ndarray:
    return in_primaries(merge_bracket(files, options).image, REC709).pixels


@pytest.mark.parametrize("array", ["", "rggb"])
def test_noise_falls_with_the_root_of_the_number_of_frames(array: str, tmp_path) -> None:
    truth = burst(tmp_path, 8, array)
    files = sorted(tmp_path.glob("?.dng" if array else "?.png"))
    option = MergeOptions(ev=[0.0] * 8, method="mle")
    merged = [_light(files[:count], replace(option, ev=[0.0] * count)) for count in (2, 8)]
    assert error(merged[1], truth) < 0.6 * error(merged[0], truth)


@pytest.mark.parametrize("array", ["", "rggb"])
def test_a_hand_held_burst_with_motion_is_better_than_its_reference(array: str, tmp_path) -> None:
    pytest.importorskip("rawpy")
    truth = burst(tmp_path, 5, array, still=False, moving=True)
    files = sorted(tmp_path.glob("?.dng" if array else "?.png"))
    result = merge_bracket(files, MergeOptions(ev=[0.0] * 5))
    one = io.read(files[2])
    light = one.pixels if array else srgb_decode(one.pixels / 255)
    assert result.bracket.reference == 2
    assert error(in_primaries(result.image, REC709).pixels, truth) < 0.8 * error(light, truth)


def test_exposures_that_are_not_equal_are_no_burst(tmp_path) -> None:
    frames = [Image(np.full((64, 64, 3), code, np.uint8), "srgb") for code in (60, 120, 180)]
    with pytest.raises(ExposureError, match=r"the same exposure, but frame 3 is .* EV brighter than frame 1"):
        merge_bracket(frames, MergeOptions(ev=[0, 0, 0]))
    with pytest.raises(ExposureError, match="frames of one exposure"):
        merge_bracket(frames[:1] * 2, MergeOptions(ev=[0, 0], response="calibrate"))
