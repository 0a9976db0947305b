"""Camera RAW merged before demosaicing: against the truth, the developed route, and each promise by itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from openhdr import io
from openhdr.camera.mosaic import ARRAYS, Mosaic
from openhdr.camera.noise import NoiseModel
from openhdr.core.errors import ExposureError, FileError, RequestError
from openhdr.core.image import REC709, Image
from openhdr.data.simulated import write_bracket
from openhdr.io.pixels import in_primaries, orient
from openhdr.merging.mosaics import MergedMosaic, merge_mosaics, noise_of, recover_highlights
from openhdr.pipeline.bracket_to_hdr import listed, merge_bracket
from openhdr.pipeline.photo_to_hdr import expand_photo
from openhdr.pipeline.pipeline_options import MergeOptions
from openhdr.pipeline.sensor_merger import upright, with_seen_white
from openhdr.simulation.config import CameraConfig, ObjectConfig, ShakeConfig, SimulationConfig, ViewConfig
from openhdr.simulation.distributions import Fixed
from openhdr.simulation.draw_plan import draw_plan
from openhdr.simulation.render import render
from openhdr.simulation.scene import make_scene

pytest.importorskip("rawpy")

EV = (-3.0, 0.0, 3.0)


def bracket(folder: Path, array: str = "rggb", still: bool = True, iso: float = 400.0, ev=EV) -> Path:
    """Sensor values of a scene with edges, textures and a lamp, as `openhdr simulate` writes them."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:512, :1024]
    coarse, fine = (cv2.resize(rng.random((512 // n, 1024 // n)), (1024, 512)) for n in (16, 2))
    light = 1 + 8 * (coarse > 0.6) + 4 * coarse + fine
    colour = np.stack(
        [light, light * (0.7 + 0.2 * np.sin(x / 60)), light * (0.6 + 0.3 * np.cos(y / 50))], axis=2
    )
    colour[200:210, ::60] *= 40
    config = SimulationConfig(
        size=(528, 360) if not still else (264, 180),
        view=ViewConfig(tries=2),
        shake=ShakeConfig(still_share=float(still)),
        objects=ObjectConfig(still_share=1.0),
        camera=CameraConfig(array=array, iso=Fixed(iso)),
    )
    scene = make_scene("cards", colour.astype(np.float32))
    write_bracket(render(draw_plan(scene, (), config, 4, ev), [scene]), folder, config, masks=False)
    return folder


def score(pixels: np.ndarray, folder: Path) -> float:
    """PSNR of mu-law light over what the shortest frame measures."""
    truth = io.read(folder / "gt.exr").pixels
    coded = [np.log1p(5000 * np.clip(one / 8, 0, 1)) / np.log1p(5000) for one in (pixels, truth)]
    return float(-10 * np.log10(np.mean(np.square(coded[0] - coded[1]))))


def merged(files: list[Path], options: MergeOptions) -> np.ndarray:
    """(H, W, 3) Rec.709 light."""
    return in_primaries(merge_bracket(files, options).image, REC709).pixels


@pytest.fixture(scope="module")
def tripod(tmp_path_factory) -> Path:
    return bracket(tmp_path_factory.mktemp("tripod"))


@pytest.mark.parametrize("still", [True, False])
def test_merging_before_demosaicing_beats_developing_first_by_two_decibels(still: bool, tmp_path) -> None:
    files = sorted(bracket(tmp_path, still=still).glob("?.dng"))
    before, after = (
        merge_bracket(files, MergeOptions(method="mle", raw_domain=domain, deghost=False))
        for domain in ("on", "off")
    )
    assert before.mosaic is not None
    assert after.mosaic is None
    light = [score(in_primaries(one.image, REC709).pixels, tmp_path) for one in (before, after)]
    assert light[0] > light[1] + 2


def test_frames_are_placed_in_pixels_of_the_sensor(tmp_path) -> None:
    """Against the homographies of the simulation, for movements that would pass for a tripod's on the proxies."""
    files = sorted(bracket(tmp_path, still=False, ev=(-2.0, -1.0, 0.0)).glob("?.dng"))
    facts = json.loads((tmp_path / "scene.json").read_text())
    places = merge_bracket(files, MergeOptions(raw_domain="on", reference=2)).registrations
    corners = np.array([[x, y, 1] for x in (0, 528) for y in (0, 360)], np.float64)

    def moved(homography: np.ndarray) -> np.ndarray:
        found = corners @ np.asarray(homography).T
        return found[:, :2] / found[:, 2:]

    for index, true in ((0, facts["homographies"][0]), (2, facts["homographies"][2])):
        found = moved(places[index].homography)
        errors = [np.hypot(*(found - moved(one)).T).mean() for one in (true, np.linalg.inv(true))]
        assert min(errors) < 0.5
        assert places[index].shift_px == pytest.approx(np.hypot(*(found - corners[:, :2]).T).mean(), rel=0.3)


@pytest.mark.parametrize("array", list(ARRAYS))
def test_every_array_gives_the_true_light(array: str, tmp_path) -> None:
    files = sorted(bracket(tmp_path, array).glob("?.dng"))
    result = merge_bracket(files, MergeOptions(raw_domain="on"))
    truth = io.read(tmp_path / "gt.exr").pixels[: result.image.height, : result.image.width]
    light = in_primaries(result.image, REC709).pixels
    if array == "mono":
        truth, light = truth @ (0.15, 0.75, 0.10), light[..., 1]  # what the simulated sensor's green sees
    seen = truth < 6
    assert np.median(np.abs(np.log2((light[seen] + 0.01) / (truth[seen] + 0.01)))) < 0.06


def test_noise_falls_as_inverse_variances_say() -> None:
    """Three flat frames, 3 stops apart: the merged variance is the inverse of the summed inverse variances."""
    rng, noise = np.random.default_rng(0), NoiseModel(4e-4, 2e-3)
    pattern, zeros, ones = np.array([[0, 1], [1, 2]], np.uint8), np.zeros((2, 2)), np.ones((2, 2))
    ev, level = np.array([-3.0, 0.0, 3.0]), 0.1
    frames = [
        Mosaic(
            noise.add(np.full((240, 240), level * 2.0**stop), rng).astype(np.float32),
            *(pattern, zeros, ones, np.ones(3), None, noise),
        )
        for stop in ev
    ]
    result = merge_mosaics(frames, _registered(frames, ev)).mosaic
    variances = [noise.variance(np.array(level * 2.0**stop)) / 4.0**stop for stop in ev]
    assert result.values.mean() == pytest.approx(level, rel=1e-3)
    assert result.values.var() == pytest.approx(1 / np.sum(1 / np.array(variances)), rel=0.05)


def _registered(frames: list[Mosaic], ev: np.ndarray):
    from openhdr.camera.mosaic import proxy
    from openhdr.camera.response import parse
    from openhdr.core.image import Bracket, Frame
    from openhdr.geometry import identity
    from openhdr.merging.registered import RegisteredBracket

    images = [Image(np.maximum(proxy(frame), 0), "linear") for frame in frames]
    listed_frames = tuple(Frame(image, float(stop)) for image, stop in zip(images, ev, strict=True))
    places = [identity("kept") for _ in frames]
    return RegisteredBracket(Bracket(listed_frames, 1), [parse("linear")] * len(frames), places)


def test_noise_is_measured_where_the_file_does_not_state_it(tripod) -> None:
    stated = io.read_mosaic(tripod / "1.dng")
    flat = np.random.default_rng(1).random((8, 8)).repeat(40, 0).repeat(40, 1)[:320, :320] * 0.8
    noisy = stated.noise.add(flat, np.random.default_rng(2)).astype(np.float32)
    plain = replace(stated, values=noisy, black=0 * stated.black, white=0 * stated.white + 1, noise=None)
    measured = noise_of(plain)
    assert measured.shot == pytest.approx(stated.noise.shot, rel=0.25)


def test_clipped_channels_become_white_and_not_magenta() -> None:
    """Green clips long before red and blue do: a white lamp that clips in green alone, and one that clips in all."""
    neutral, lamp = np.array([0.5, 1.0, 0.6]), np.full((60, 60), 0.2)
    lamp[10:30, 10:30], lamp[35:55, 35:55] = 1.5, 8.0
    pattern = np.array([[0, 1], [1, 2]], np.uint8)
    seen = lamp * neutral[np.tile(pattern, (30, 30))]
    values = np.minimum(seen, 1).astype(np.float32)
    mosaic = Mosaic(values, pattern, np.zeros((2, 2)), np.ones((2, 2)), neutral)
    light = recover_highlights(MergedMosaic(mosaic, seen >= 1)).values / neutral[np.tile(pattern, (30, 30))]
    np.testing.assert_allclose(light[14:26, 14:26], 1.5, rtol=0.02)
    np.testing.assert_allclose(light[39:51, 39:51], 2.0, rtol=0.02)
    np.testing.assert_allclose(light[:8], 0.2, rtol=1e-5)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_sensor_values_turn_with_their_array_and_levels(orientation: int) -> None:
    for pattern in (np.array([[0, 1], [1, 2]]), np.arange(36).reshape(6, 6) % 3):
        rows, columns = 30, 44
        tile = np.tile(pattern, (9, 9))[:rows, :columns]
        black = (pattern * 10).astype(np.float32)
        values = (100 + tile * 10).astype(np.float32)
        turned = upright(Mosaic(values, pattern, black, black + 100, np.ones(3), orientation=orientation))
        light = turned.light(slice(0, turned.shape[0]))
        np.testing.assert_allclose(light, 1.0)
        wanted = orient(tile[..., None], orientation)[: light.shape[0], : light.shape[1], 0]
        np.testing.assert_array_equal(turned.tiled(turned.pattern, slice(0, len(light))), wanted)


def test_turned_files_give_upright_pictures(tripod, tmp_path) -> None:
    plain = merged(sorted(tripod.glob("?.dng")), MergeOptions(raw_domain="on"))
    for path in tripod.glob("?.dng"):
        io.write_mosaic(tmp_path / path.name, replace(io.read_mosaic(path), orientation=6))
    turned = merged(sorted(tmp_path.glob("?.dng")), MergeOptions(raw_domain="on"))
    expected = orient(plain, 6)
    assert turned.shape == expected.shape
    np.testing.assert_allclose(np.median(turned / np.maximum(expected, 1e-3)), 1, atol=0.01)


def test_of_raw_and_jpeg_pairs_the_raw_files_are_merged(tripod, tmp_path) -> None:
    for path in tripod.glob("?.dng"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
        io.write(tmp_path / f"{path.stem}.jpg", Image(np.zeros((8, 8, 3), np.uint8), "srgb"))
    assert [path.name for path in listed(tmp_path)] == ["0.dng", "1.dng", "2.dng"]


def test_what_cannot_be_merged_before_demosaicing(tripod, tmp_path) -> None:
    files = sorted(tripod.glob("?.dng"))
    assert merge_bracket(files, MergeOptions(method="robertson")).mosaic is None
    with pytest.raises(RequestError, match="robertson"):
        merge_bracket(files, MergeOptions(method="robertson", raw_domain="on"))
    with pytest.raises(RequestError, match="raw domain 'maybe'"):
        merge_bracket(files, MergeOptions(raw_domain="maybe"))
    io.write(tmp_path / "a.png", Image(np.zeros((8, 8, 3), np.uint8), "srgb"))
    with pytest.raises(RequestError, match=r"a\.png holds no sensor values"):
        merge_bracket([tmp_path / "a.png", files[0]], MergeOptions(raw_domain="on"))
    smaller = io.read_mosaic(files[0])
    io.write_mosaic(tmp_path / "small.dng", replace(smaller, values=smaller.values[:90]))
    with pytest.raises(RequestError, match=r"small\.dng and 1\.dng are of different sensors or sizes"):
        merge_bracket([files[1], tmp_path / "small.dng"], MergeOptions(raw_domain="on"))


def test_damaged_files_and_wrong_exposures_are_refused(tripod, tmp_path) -> None:
    files = sorted(tripod.glob("?.dng"))
    cut = tmp_path / "cut.dng"
    cut.write_bytes(files[0].read_bytes()[:40_000])
    with pytest.raises(FileError, match=r"cut\.dng"):
        merge_bracket([cut, *files[1:]], MergeOptions())
    with pytest.raises(ExposureError, match="darker picture"):
        merge_bracket(files, MergeOptions(ev=(3, 0, -3)))


def test_merged_sensor_values_are_written_and_read_back(tripod, tmp_path) -> None:
    result = merge_bracket(sorted(tripod.glob("?.dng")), MergeOptions())
    io.write_mosaic(tmp_path / "out.dng", result.mosaic)
    again = io.read(tmp_path / "out.dng").pixels
    close = np.abs(np.log2((again + 0.01) / (in_primaries(result.image, REC709).pixels + 0.01)))
    assert np.quantile(close, 0.99) < 0.03
    assert again.max() > 2


def test_dark_frames_and_flat_fields_take_out_what_they_show(tripod, tmp_path) -> None:
    """A glow in one corner and shading to a third in the others, put into a bracket and its calibration frames."""
    y, x = np.mgrid[:180, :264]
    glow = 900 * np.exp(-(np.square(x - 30) + np.square(y - 30)) / 800)
    shading = 1 - 0.6 * (np.square(x - 132) + np.square(y - 90)) / (132**2 + 90**2)
    files = sorted(tripod.glob("?.dng"))
    first = io.read_mosaic(files[0])
    black = first.tiled(first.black, slice(0, 180))

    def stored(name: str, light: np.ndarray) -> Path:
        codes = np.clip(np.rint(light + glow + black), 0, 16000).astype(np.uint16)
        io.write_mosaic(tmp_path / name, replace(first, values=codes, exposure=shots.get(name)))
        return tmp_path / name

    plain = {path.name: io.read_mosaic(path) for path in files}
    shots = {name: one.exposure for name, one in plain.items()}
    spoiled = [stored(name, (one.values - black) * shading) for name, one in plain.items()]
    dark, flat = stored("dark.dng", 0 * shading), stored("flat.dng", 9000 * shading)
    flat_alone = replace(io.read_mosaic(flat), values=np.rint(9000 * shading + black).astype(np.uint16))
    io.write_mosaic(flat, flat_alone)
    options = MergeOptions(align="none", deghost=False, match=False)
    expected = merged(files, options)
    found = merged(spoiled, replace(options, dark=dark, flat=flat))
    seen = (expected > 0.02) & (expected < 0.6)
    off = [
        float(np.median(np.abs(np.log2(one[seen] / expected[seen]))))
        for one in (found, merged(spoiled, options))
    ]
    assert off[0] < 0.05 < 0.2 < off[1]
    with pytest.raises(RequestError, match=r"dark=a\.png"):
        io.write(tmp_path / "a.png", Image(np.zeros((8, 8, 3), np.uint8), "srgb"))
        merged(files, replace(options, dark=tmp_path / "a.png"))


def test_a_given_white_balance_is_used(tripod) -> None:
    files = sorted(tripod.glob("?.dng"))
    shot = io.read_mosaic(files[0])
    as_shot = merged(files, MergeOptions())
    np.testing.assert_allclose(
        merged(files, MergeOptions(neutral=shot.neutral.tolist())), as_shot, rtol=1e-4, atol=1e-5
    )
    warmer = merged(files, MergeOptions(neutral=(shot.neutral * (1, 1, 2)).tolist()))
    assert warmer[..., 2].mean() < 0.7 * as_shot[..., 2].mean()
    for wrong in ((1, 2), (0, 1, 1)):
        with pytest.raises(RequestError, match="expected three numbers above 0"):
            merged(files, MergeOptions(neutral=wrong))
    with pytest.raises(RequestError, match="`neutral`: the method 'robertson'"):
        merged(files, MergeOptions(neutral=(1, 1, 1), method="robertson"))


def test_a_sensor_that_clips_below_its_stated_white_is_seen(tripod) -> None:
    shots = [io.read_mosaic(path) for path in sorted(tripod.glob("?.dng"))]
    early = [replace(one, values=np.minimum(one.values, 14500)) for one in shots]
    assert {float(one.white.max()) for one in with_seen_white(shots)} == {16000.0}
    assert 14400 < max(float(one.white.max()) for one in with_seen_white(early)) <= 14500


def test_one_photo_is_expanded_from_what_its_other_colours_measured(tripod) -> None:
    """White light of 1.1 to 1.9: green clips, red and blue, whose gains are higher, still measure it."""
    truth = io.read(tripod / "gt.exr").pixels
    before = expand_photo(io.read(tripod / "1.dng")).image.pixels
    after = expand_photo(tripod / "1.dng").image.pixels
    some = (truth > 1).any(axis=2) & ~(truth > 1).all(axis=2)
    error = [np.abs(np.log2(light[some] / truth[some])).mean() for light in (before, after)]
    assert error[1] < 0.6 * error[0]
    dark = (truth < 0.8).all(axis=2)
    assert np.median(np.abs(np.log2((after[dark] + 0.01) / (truth[dark] + 0.01)))) < 0.06


def test_merged_sensor_values_are_no_photo_to_expand(tripod, tmp_path) -> None:
    result = merge_bracket(sorted(tripod.glob("?.dng")))
    assert result.mosaic is not None
    io.write_mosaic(tmp_path / "merged.dng", result.mosaic)
    with pytest.raises(RequestError, match="is HDR already"):
        expand_photo(tmp_path / "merged.dng")


def test_cropped_results_are_parts_of_the_whole(tmp_path) -> None:
    files = sorted(bracket(tmp_path, still=False).glob("?.dng"))
    whole, part = (merge_bracket(files, MergeOptions(crop=crop)) for crop in (False, True))
    height, width = part.image.pixels.shape[:2]
    assert (height, width) != whole.image.pixels.shape[:2]
    assert part.mosaic is not None
    assert part.mosaic.shape == (height, width)
    assert any(
        np.array_equal(part.image.pixels, whole.image.pixels[top : top + height, left : left + width])
        for top in range(0, whole.image.height - height + 1, 2)
        for left in range(0, whole.image.width - width + 1, 2)
    )
