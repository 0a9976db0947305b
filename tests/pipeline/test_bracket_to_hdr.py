"""Whole merges, from photos to light: accuracy against truth and against the best that is possible."""

from __future__ import annotations

import dataclasses
import inspect
from dataclasses import replace

import cv2
import numpy as np
import pytest

import openhdr
from openhdr import io
from openhdr.color.transfer import srgb_decode
from openhdr.core.errors import ExposureError, FileError, OpenHDRError, RequestError
from openhdr.core.image import Exposure, Image
from openhdr.models.inference.run_options import RunOptions
from openhdr.pipeline import bracket_to_hdr
from openhdr.pipeline.bracket_to_hdr import MergeOptions, merge, merge_bracket
from openhdr.simulation.config import SimulationConfig, ViewConfig
from openhdr.simulation.draw_plan import draw_plan
from openhdr.simulation.render import photograph
from openhdr.simulation.scene import make_scene

EV = (-2.0, 0.0, 2.0)


def _psnr_mu(light: np.ndarray, truth: np.ndarray, top: float) -> float:
    """mu-law PSNR of light / top clipped to 0..1, written out here to be independent of the package."""
    coded = [
        np.log1p(5000 * np.clip(x.astype(np.float64) / top, 0, 1)) / np.log(5001) for x in (light, truth)
    ]
    return float(-10 * np.log10(np.mean((coded[0] - coded[1]) ** 2)))


def _photos(light, photo, rng, stops=EV, bits=8):
    return [photo(light, ev, rng, bits) for ev in stops]


def _options(ev=EV, **changes) -> MergeOptions:
    reference = changes.pop("reference", None)
    return replace(MergeOptions(ev=list(ev), reference=reference), **changes)


def _best_static_merge(images, stops, truth) -> np.ndarray:
    """Inverse true variances (photon, read and rounding noise of every sample), every unclipped sample used."""
    total = np.zeros(truth.shape)
    weights = np.zeros(truth.shape)
    rounding = np.gradient(srgb_decode(np.arange(256) / 255.0)) ** 2 / 12
    for image, ev in zip(images, stops, strict=True):
        gain = 2.0**ev
        variance = (2e-4 * truth * gain + 5e-4**2 + rounding[image.pixels]) / gain**2
        weight = (image.pixels.max(axis=2) < 255)[..., None] / variance
        total += weight * srgb_decode(image.pixels / 255.0) / gain
        weights += weight
    shortest = int(np.argmin(stops))
    clipped = srgb_decode(images[shortest].pixels / 255.0) / 2.0 ** stops[shortest]
    return np.where(weights > 0, total / np.maximum(weights, 1e-30), clipped)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_tripod_bracket_is_merged_nearly_as_well_as_possible(room, photo, seed):
    """Near the merge that knows the true noise, response and movement.

    The default loses 0.02 to 0.2 dB; without tone matching, which may err by a few hundredths of a stop, under 0.1.
    """
    light = room(192, 288, seed)
    images = _photos(light, photo, np.random.default_rng(seed))
    top = 2.0 ** -EV[0]
    ours = merge_bracket(images, _options()).image.pixels
    best = _best_static_merge(images, EV, light.astype(np.float64))
    assert _psnr_mu(ours, light, top) > _psnr_mu(best, light, top) - 0.3
    unmatched = merge_bracket(images, _options(match=False)).image.pixels
    assert _psnr_mu(unmatched, light, top) > _psnr_mu(best, light, top) - 0.12
    assert _psnr_mu(ours, light, top) > 48


def test_the_order_of_the_photos_does_not_matter(room, photo, rng):
    light = room()
    stops = (-3.0, -1.0, 0.0, 2.0)
    images = [
        cv_shift(photo(light, ev, rng), shift)
        for ev, shift in zip(stops, ((1, 0), (0, 0), (0, -2), (2, 1)), strict=True)
    ]
    first = merge_bracket(images, _options(stops)).image.pixels
    for order in ((3, 1, 0, 2), (2, 3, 1, 0)):
        shuffled = merge_bracket([images[k] for k in order], _options([stops[k] for k in order])).image.pixels
        # sums in another order differ in the last digit, and a weight in 16 bits may fall on the other side of a step
        np.testing.assert_allclose(shuffled, first, rtol=1e-3, atol=1e-6)


def cv_shift(image: Image, shift: tuple[int, int]) -> Image:
    return image.with_pixels(np.roll(image.pixels, shift, axis=(0, 1)))


@pytest.mark.parametrize("bits", [16, 0])
def test_sixteen_bit_and_linear_frames(room, photo, rng, bits):
    light = room()
    result = merge_bracket(_photos(light, photo, rng, bits=bits), _options())
    assert _psnr_mu(result.image.pixels, light, 4) > 48
    assert result.image.encoding == "linear"


def test_two_frames(room, photo, rng):
    """Of two the shorter is the reference: its noise falls, its range stays."""
    light = np.minimum(room(), 1)
    images = _photos(light, photo, rng, (0, 3))
    merged = merge_bracket(images, _options((0, 3))).image.pixels
    alone = srgb_decode(images[0].pixels / 255)
    assert _psnr_mu(merged, light, 1) > _psnr_mu(alone, light, 1) + 4


def test_dozens_of_frames(room, photo, rng):
    stops = np.linspace(-4, 4, 24)
    images = _photos(room(72, 108), photo, rng, stops)
    result = merge_bracket(images, _options(stops))
    light = room(72, 108) * 2.0 ** stops[result.bracket.reference]
    assert _psnr_mu(result.image.pixels, light, 16) > 45
    assert len(result.registrations) == len(result.consistency) == 24


@pytest.mark.parametrize("reference", [1, 2, 3])
def test_scale_and_geometry_are_the_references(room, photo, rng, reference):
    light = room()
    images = [cv_shift(image, (0, 2 * k)) for k, image in enumerate(_photos(light, photo, rng))]
    merged = merge_bracket(images, _options(reference=reference)).image.pixels
    expected = np.roll(light, 2 * (reference - 1), axis=1) * 2.0 ** EV[reference - 1]
    inner = np.s_[4:-4, 12:-12]
    assert _psnr_mu(merged[inner], expected[inner], 2.0 ** (EV[reference - 1] + 2)) > 38


def test_exposures_stated_wrong_by_a_third_of_a_stop(room, photo, rng):
    light = room()
    images = _photos(light, photo, rng, (-2 + 1 / 3, 0, 2 - 1 / 3))
    result = merge_bracket(images, _options(response="srgb"))
    believed = merge_bracket(images, _options(response="srgb", match=False)).image.pixels
    assert [match.mean for match in result.matches] == pytest.approx([-1 / 3, 0, 1 / 3], abs=0.05)
    assert _psnr_mu(result.image.pixels, light, 4) > 40
    assert _psnr_mu(result.image.pixels, light, 4) > _psnr_mu(believed, light, 4) + 3


def test_an_exposure_that_is_off_by_more_than_can_be_told_is_left_alone(room, photo, rng):
    images = _photos(room(), photo, rng, (-2 - 2.5, 0, 2))
    assert merge_bracket(images, _options(response="srgb")).matches[0].size == 0


def test_exposures_are_corrected_without_deghosting_too(room, photo, rng):
    images = _photos(room(), photo, rng, (-2 + 1 / 3, 0, 2 - 1 / 3))
    result = merge_bracket(images, _options(response="srgb", deghost=False))
    assert [match.mean for match in result.matches] == pytest.approx([-1 / 3, 0, 1 / 3], abs=0.05)


def test_a_given_curve_that_is_not_the_cameras_makes_no_exposure_wrong(room, photo, rng):
    images = _photos(room(), photo, rng)
    result = merge_bracket(images, _options(response="gamma:1.8"))
    assert max(match.size for match in result.matches) == 0
    assert (
        max(match.size for match in merge_bracket(images, _options(response="gamma:1.8", match=True)).matches)
        > 0.1
    )


def test_measured_exposures_do_as_well_as_true_ones(room, photo, rng):
    light = room()
    merged = merge_bracket(_photos(light, photo, rng), MergeOptions(ev="auto"))
    assert merged.exposures_from == "the pixels"
    assert _psnr_mu(merged.image.pixels, light, 4) > 42


def test_photos_by_a_camera_s_curve_without_exif_give_nearly_its_light(room, rng):
    """Exposures measured through sRGB were a third too far apart, and so was the light."""
    light = cv2.GaussianBlur(room(), (0, 0), 1)

    def shot(ev: float) -> Image:  # a curve steeper in the middle than the one that is taken for typical
        seen = np.clip(light * 2.0**ev, 0, 1) ** 1.0
        code = 255 * 1.5 * seen / (seen + 0.5)
        return Image(np.rint(np.clip(code + rng.normal(0, 1, code.shape), 0, 255)).astype(np.uint8), "srgb")

    found = merge_bracket([shot(ev) for ev in (-2, 0, 2)], MergeOptions(ev="auto", method="mle"))
    np.testing.assert_allclose(found.bracket.ev, (-2, 0, 2), atol=0.3)
    places = (light > 0.01).all(axis=2) & (light < 2).all(axis=2)
    slope = np.polyfit(np.log2(light[places].ravel()), np.log2(found.image.pixels[places].ravel()), 1)[0]
    assert slope == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize("calibration", ["debevec", "robertson"])
def test_an_unknown_camera_is_calibrated_from_its_own_photos(room, calibration):
    light = cv2.GaussianBlur(room(), (0, 0), 1)
    stops = (-4.0, -2.3, 0.0, 1.6, 3.4)

    def shot(ev: float) -> Image:
        seen = np.clip(light * 2.0**ev, 0, 1) ** 0.9
        return Image(np.rint(255 * 1.6 * seen / (seen + 0.6)).astype(np.uint8), "srgb")

    images = [shot(ev) for ev in stops]
    result = merge_bracket(images, _options(stops, response="calibrate", calibration=calibration))
    ratio = np.log2(result.image.pixels / light)[(light < 10).all(axis=2)]
    ratio -= np.median(ratio)
    assert np.quantile(np.abs(ratio), 0.9) < 0.12
    assert result.response.name == f"calibrated:{calibration}"


def test_no_deghosting_nor_matching_still_reports_every_frame(room, photo, rng):
    result = merge_bracket(_photos(room(), photo, rng), _options(deghost=False, match=False))
    assert [float(consistency.mean()) for consistency in result.consistency] == [1, 1, 1]


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (1, 40), (33, 2)])
@pytest.mark.parametrize("kind", ["black", "white", "grey"])
def test_tiny_and_flat_pictures(size, kind):
    """Finite light whose level is the frames' own."""
    level = {"black": 0.0, "white": 100.0, "grey": 0.1}[kind]
    images = [
        Image(np.full((*size, 3), round(255 * float(min(level * 2.0**ev, 1)) ** (1 / 2.2)), np.uint8), "srgb")
        for ev in EV
    ]
    merged = merge_bracket(images, _options()).image.pixels
    expected = {"black": 0.0, "white": 4.0, "grey": 0.1}[kind]
    # the default may move black within its noise: a third of the step from code 0 to 1
    np.testing.assert_allclose(merged, expected, rtol=0.1, atol=3e-4)


def test_paths_and_images_mix_and_metadata_is_carried(tmp_path, room, photo, rng):
    exposures = [Exposure(t, 100, 8.0) for t in (1 / 400, 1 / 100, 1 / 25)]
    images = [photo(room(), ev, rng, exposure=e) for ev, e in zip(EV, exposures, strict=True)]
    io.write(tmp_path / "b.png", replace(images[1], metadata={"make": "Acme"}))
    merged = openhdr.merge([images[0], tmp_path / "b.png", images[2]])
    assert merged.metadata["make"] == "Acme"
    assert merged.exposure.time_s == pytest.approx(1 / 100)
    assert merged.metadata["white_luminance"] == pytest.approx(78 / 0.65 * 64 / (1 / 100 * 100))
    np.testing.assert_array_equal(merged.pixels, openhdr.merge(images).pixels)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"method": "mel"}, RequestError, "did you mean 'mle'"),
        ({"align": "homografy"}, RequestError, "did you mean 'homography'"),
        ({"response": "gama:2"}, RequestError, "expected srgb, typical, linear"),
        ({"response": "nowhere.json"}, FileError, "nowhere.json"),
        (
            {"weights": "w.pth"},
            RequestError,
            "`weights=w.pth`: the method 'trustnet' has its weights in the package",
        ),
        ({"calibration": "x", "response": "calibrate"}, RequestError, "unknown calibration method"),
        ({"ev": None}, ExposureError, "no shutter time"),
        (
            {"ev": "auto", "response": "calibrate"},
            ExposureError,
            "needs known exposures",
        ),
    ],
)
def test_refusals(room, photo, rng, change, error, words):
    with pytest.raises(error, match=words):
        merge_bracket(_photos(room(24, 36), photo, rng), replace(_options(), **change))


def test_one_frame_mixed_sizes_and_mixed_kinds(room, photo, rng):
    light = room(24, 36)
    with pytest.raises(RequestError, match="at least two frames"):
        openhdr.merge([photo(light, 0)], ev=[0])
    with pytest.raises(RequestError, match="frame 2 is 30x24"):
        openhdr.merge([photo(light, 0), photo(light[:, :30], 1)], ev=[0, 1])
    with pytest.raises(RequestError, match="frame 2 holds 16-bit photo"):
        openhdr.merge([photo(light, 0), photo(light, 1, bits=16)], ev=[0, 1])
    with pytest.raises(RequestError, match="linear already"):
        merge_bracket(
            [photo(light, 0, bits=0), photo(light, 1, bits=0)], _options((0, 1), response="calibrate")
        )


def test_fusion_for_display_needs_no_exposures(room, photo, rng):
    result = merge_bracket(_photos(room(), photo, rng), MergeOptions(method="mertens"))
    assert result.image.encoding == "srgb" and result.exposures_from == "the pixels"
    assert result.image.pixels.min() >= 0 and result.image.pixels.max() <= 1


def test_result_is_repeatable(room, photo, rng):
    images = _photos(room(), photo, rng)
    np.testing.assert_array_equal(
        merge_bracket(images, _options()).image.pixels, merge_bracket(images, _options()).image.pixels
    )


def test_every_refusal_is_an_error_of_ours():
    """Whoever catches OpenHDRError has caught them all."""
    with pytest.raises(OpenHDRError):
        openhdr.merge(["missing-1.png", "missing-2.png"], ev=[0, 1])
    with pytest.raises(OpenHDRError):
        openhdr.tonemap("missing.exr")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_hand_held_brackets_with_moving_objects(room, seed):
    """Simulated hand-held 576x384 brackets of synthetic scenes: 5 dB better than the reference alone, at least.

    Both and the truth divided by the level where the shortest frame clips, clipped to 0..1, mu-law, peak 1.
    """
    scenes = [make_scene(f"{k}", room(640, 960, seed=20 + k)) for k in range(4)]
    config = SimulationConfig(view=ViewConfig(tries=2))
    plan = draw_plan(scenes[seed - 1], scenes, config, seed)
    frames, truth = photograph(plan, scenes)
    images = [Image(frame, "srgb") for frame in frames]
    merged = merge_bracket(images, _options(plan.ev)).image.pixels
    alone = srgb_decode(frames[plan.reference] / 255.0)
    top = 2.0 ** -min(plan.ev)
    assert _psnr_mu(merged, truth, top) > _psnr_mu(alone, truth, top) + 5


def test_a_folder_is_its_photos_in_natural_order(room, photo, tmp_path):
    for n, ev in ((2, 0), (10, 2), (1, -2)):
        io.write(tmp_path / f"IMG_{n}.png", photo(room(), ev))
    (tmp_path / "notes.txt").write_text("no photo")
    result = merge_bracket(tmp_path, _options(reference="IMG_10.png"))
    assert [frame.name for frame in result.bracket.frames] == ["IMG_1.png", "IMG_2.png", "IMG_10.png"]
    assert result.bracket.reference == 2
    np.testing.assert_array_equal(
        openhdr.merge(str(tmp_path), [-2, 0, 2], reference="IMG_10.png").pixels, result.image.pixels
    )


def test_a_reference_nearly_black_is_not_taken(room, photo):
    dark = [photo(room() * 0.002, ev) for ev in (-4, -2, 0, 2, 6)]
    result = merge_bracket(dark, MergeOptions(ev=[-4, -2, 0, 2, 6], method="mle"))
    assert result.bracket.reference == 4
    with pytest.raises(RequestError, match="expected 1 to 5"):
        merge_bracket(dark, MergeOptions(ev=[-4, -2, 0, 2, 6], reference="a.jpg"))


def test_light_of_a_camera_with_a_curve_of_its_own_is_linear(room, photo):
    """A tripod bracket through an S-curve: one factor brings the merge onto the truth, over all its stops."""
    light, stops = room(), (-4.0, -2.0, 0.0, 2.0)
    code = np.arange(256) / 255
    curve = (code + 0.12 * np.sin(2 * np.pi * code)) ** 2.2
    frames = []
    for ev in stops:
        codes = np.interp(np.clip(light * 2.0**ev, 0, 1), curve, np.arange(256))
        frames.append(Image(np.round(codes).astype(np.uint8), "srgb"))
    result = merge_bracket(frames, MergeOptions(ev=list(stops), reference=3, method="mle"))
    assert result.measured.response is not None and result.measured.response.error < 2
    seen = (light > 0.02) & (light < 8)
    ratio = np.log2(result.image.pixels[seen] / light[seen])
    assert np.abs(ratio - np.median(ratio)).mean() < 0.1
    assumed = merge_bracket(frames, MergeOptions(ev=list(stops), reference=3, method="mle", response="srgb"))
    off = np.log2(assumed.image.pixels[seen] / light[seen])
    assert np.abs(off - np.median(off)).mean() > 3 * np.abs(ratio - np.median(ratio)).mean()


def test_every_option_of_the_python_call_arrives(monkeypatch):
    """Each parameter of `openhdr.merge` stands in the options under its own name."""
    taken = []

    def stop(frames, options):
        taken.append(options)
        raise RequestError("far enough")

    monkeypatch.setattr("openhdr.pipeline.bracket_to_hdr.merge_bracket", stop)
    checked = {"precision": "bfloat16", "memory": 7.0, "augment": True}
    run = {field.name for field in dataclasses.fields(RunOptions)}
    for name in inspect.signature(merge).parameters:
        value = checked.get(name, "given")
        if name != "frames":
            with pytest.raises(RequestError, match="far enough"):
                merge([], **{name: value})
            options = taken.pop()
            assert str(getattr(options.run if name in run else options, name)) == str(value), name


@pytest.mark.parametrize(("method", "megapixels"), [("mle", 1.5), ("trustnet", 1.0)])
def test_frames_are_compared_at_the_size_of_the_method(method, megapixels, room, photo, rng, monkeypatch):
    asked, compare = [], bracket_to_hdr.compare

    def listen(registered, options):
        asked.append(options.working_megapixels)
        return compare(registered, options)

    monkeypatch.setattr(bracket_to_hdr, "compare", listen)
    merge_bracket(_photos(room(48, 64), photo, rng), _options(method=method))
    assert asked == [megapixels]
