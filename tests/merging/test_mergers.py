"""Mergers against straightforward sums, and properties on any codes at all."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openhdr.camera.noise import TYPICAL
from openhdr.camera.response import Response
from openhdr.color.transfer import srgb_decode
from openhdr.core.image import Image
from openhdr.geometry import Registration
from openhdr.merging import MERGERS, mle, strips
from openhdr.merging.ghosts import CompareOptions, Comparison, compare
from openhdr.merging.registered import CLIP_FULL, CLIP_NONE, saturation_weight, strips_of

RADIANCE = [name for name, row in MERGERS.items() if row.output == "radiance"]
EV = (-2.0, 0.0, 2.0)


def _merged(registered, name: str = "mle", deghost: bool = False) -> np.ndarray:
    """By any merger of the table: the steps of a merge after registration."""
    merger = MERGERS[name].load()
    registered = merger.decide(compare(registered) if deghost else Comparison(registered, []))
    return merger.refine(registered, merger.merge(registered)).pixels


def _photos(light, photo, rng=None, stops=EV, bits=8):
    return [photo(light, ev, rng, bits) for ev in stops]


def _slow_mle(images, stops, rooms) -> np.ndarray:
    """Pixel by pixel in float64: inverse variances, the guide from the longest frame that is not clipped."""
    height, width = images[0].pixels.shape[:2]
    out = np.zeros((height, width, 3))
    order = np.argsort(stops)
    for y in range(height):
        for x in range(width):
            light = [srgb_decode(image.pixels[y, x] / 255.0) for image in images]
            guide = light[order[0]] @ (0.2126, 0.7152, 0.0722) / 2.0 ** stops[order[0]]
            for k in order[1:]:
                seen = light[k] @ (0.2126, 0.7152, 0.0722) / 2.0 ** stops[k]
                guide += rooms[k][y, x] * (seen - guide)
            total, weights = np.zeros(3), 0.0
            for k, ev in enumerate(stops):
                gain = 2.0**ev
                weight = rooms[k][y, x] / ((TYPICAL.shot * guide * gain + TYPICAL.read**2) / gain**2)
                total, weights = total + weight * light[k] / gain, weights + weight
            out[y, x] = total / weights if weights > 0 else light[order[0]] / 2.0 ** stops[order[0]]
    return out


def test_mle_is_the_weighted_mean_written_out(room, photo, rng, registered_of):
    images = _photos(room(24, 36) * 1.5, photo, rng)
    registered = registered_of(images, EV, 1)
    rooms = registered.strip(slice(0, 24)).saturation_weight
    assert (np.max(rooms, axis=0) == 0).any() and (np.min(rooms, axis=0) == 1).any()
    np.testing.assert_allclose(_merged(registered), _slow_mle(images, EV, rooms), rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_headroom_falls_from_one_to_nothing_below_clipping(dtype):
    full = int(np.iinfo(dtype).max)
    codes = np.linspace(0, full, 256).astype(dtype)
    room = saturation_weight(codes[None], float(full))[0]
    share = codes / full
    assert (room[share <= CLIP_FULL] == 1).all() and (room[share >= CLIP_NONE] == 0).all()
    assert (np.diff(room) <= 0).all()
    assert (saturation_weight(codes[None], 0.9 * full)[0] <= room).all()  # photos that clip at a lower code


def test_debevec_is_the_mean_of_logs_written_out(room, photo, rng, registered_of):
    """Debevec & Malik 1997, eq. 6, on pixels that no frame clips."""
    light = np.clip(room(24, 36), 0.01, 0.2)
    images = _photos(light, photo, rng)
    codes = np.stack([image.pixels / 255.0 for image in images])
    weight = np.minimum(codes, 1 - codes)
    logs = np.log(srgb_decode(codes)) - np.log(2.0) * np.array(EV)[:, None, None, None]
    np.testing.assert_allclose(
        _merged(registered_of(images, EV, 1), "debevec"),
        np.exp((weight * logs).sum(0) / weight.sum(0)),
        rtol=1e-4,
    )


def test_robertson_is_its_equation_written_out(room, photo, rng, registered_of):
    """Robertson et al. 2003, eq. 7 with eq. 25's weights."""
    light = np.clip(room(24, 36), 0.01, 0.2)
    images = _photos(light, photo, rng)
    codes = np.stack([image.pixels / 255.0 for image in images])
    weight, gain = np.exp(-16 * (codes - 0.5) ** 2), 2.0 ** np.array(EV)[:, None, None, None]
    expected = (weight * gain * srgb_decode(codes)).sum(0) / (weight * gain**2).sum(0)
    np.testing.assert_allclose(_merged(registered_of(images, EV, 1), "robertson"), expected, rtol=1e-4)


@pytest.mark.parametrize("name", RADIANCE)
def test_a_merge_is_near_the_light_it_was_taken_of(room, photo, rng, registered_of, name):
    light = np.minimum(room(), 3.5)
    merged = _merged(registered_of(_photos(light, photo, rng), EV, 1), name)
    error = np.abs(np.log2(merged / light))
    assert np.median(error) < 0.03 and np.quantile(error, 0.99) < 0.35


@pytest.mark.parametrize("name", RADIANCE)
@pytest.mark.parametrize("pixels", [1, 300, 1700, 10**9])
def test_strips_make_the_same_picture(room, photo, rng, registered_of, monkeypatch, name, pixels):
    """Whatever the size of a strip, with a moved frame and a map of ghosts at another size."""
    registered = registered_of(_photos(room(61, 47), photo, rng), EV, 1)
    tilt = np.array([[1, 0.01, 2.3], [-0.01, 1, -1.7], [1e-5, 0, 1]])
    registered.registrations[0] = type(registered.registrations[0])("aligned", tilt)
    ghosts = compare(registered).registered
    ghosts.consistency[2] = rng.random((20, 17)).astype(np.float32)
    whole = _merged(ghosts, name)
    monkeypatch.setattr(strips, "strips_of", lambda *size: strips_of(*size, pixels))
    np.testing.assert_allclose(_merged(ghosts, name), whole, rtol=2e-3, atol=1e-5)


@st.composite
def _any_bracket(draw):
    """Random codes of any kind, in 2 to 9 frames of 1 to 40 pixels a side, at any exposures."""
    count = draw(st.integers(2, 9))
    shape = (draw(st.integers(1, 40)), draw(st.integers(1, 40)), 3)
    kind = draw(st.sampled_from(["8", "16", "linear", "bright"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    images = []
    for _ in range(count):
        values = rng.random(shape) ** draw(st.sampled_from([0.01, 1, 5, 40])) * draw(
            st.sampled_from([0, 0.5, 1])
        )
        if kind in ("8", "16"):
            dtype = np.dtype(f"uint{kind}")
            images.append(Image(np.rint(values * np.iinfo(dtype).max).astype(dtype), "srgb"))
        else:
            images.append(Image((values * (1 if kind == "linear" else 1e4)).astype(np.float32)))
    ev = draw(st.lists(st.floats(-16, 16), min_size=count, max_size=count))
    return images, ev, draw(st.integers(0, count - 1))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bracket=_any_bracket(), name=st.sampled_from(list(MERGERS)), deghost=st.booleans())
def test_never_nan_infinite_or_negative(registered_of, bracket, name, deghost):
    images, ev, reference = bracket
    registered = registered_of(images, ev, reference)
    merged = _merged(registered, name, deghost)
    assert merged.dtype == np.float32 and merged.shape == images[0].pixels.shape
    assert np.isfinite(merged).all() and merged.min() >= 0
    if MERGERS[name].output == "display":
        assert merged.max() <= 1


@pytest.mark.parametrize("name", RADIANCE)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_all_white_is_the_shortest_frames_level(registered_of, name, dtype):
    """Clipped in every frame: at least what the shortest frame clips at, 2^3 of the reference."""
    white = Image(np.full((20, 30, 3), np.iinfo(dtype).max, dtype), "srgb")
    merged = _merged(registered_of([white] * 3, (-3, 0, 2), 1), name)
    np.testing.assert_allclose(merged, 8, rtol=1e-5)


@pytest.mark.parametrize("name", RADIANCE)
def test_all_black_is_black(registered_of, name):
    black = Image(np.zeros((20, 30, 3), np.uint8), "srgb")
    assert _merged(registered_of([black] * 3, (-3, 0, 2), 1), name).max() < 1e-4


@pytest.mark.parametrize("name", RADIANCE)
@pytest.mark.parametrize("deghost", [False, True])
def test_suns_are_white(room, photo, rng, registered_of, name, deghost):
    """A sun a thousand times too bright for the shortest frame is its clipped level, neutral, with no dark ring."""
    light = np.clip(room(), 0.05, 0.5)
    sun = np.zeros(light.shape[:2], np.float32)
    cv2.circle(sun, (100, 70), 9, 1, -1)
    glow = cv2.GaussianBlur(sun, (0, 0), 6)
    light = light + 4000 * sun[..., None] + 30 * glow[..., None] * np.array([1, 0.9, 0.6], np.float32)
    registered = registered_of(_photos(light, photo, rng), EV, 1)
    if deghost:
        registered = compare(registered, CompareOptions(match=False)).registered
    merged = _merged(registered, name)
    np.testing.assert_allclose(merged[sun > 0], 4, rtol=1e-3)
    near = (glow > 0.02) & (sun == 0)
    expected = np.minimum(light, 4)[near]
    assert (merged[near] > 0.6 * expected).all()


def test_magenta_is_not_made_of_a_channel_that_clips_early(registered_of, photo):
    """Green clips in every frame, red and blue do not: the shortest frame is taken as it is."""
    light = np.full((20, 30, 3), (2.0, 9.0, 2.0), np.float32)
    merged = _merged(registered_of(_photos(light, photo), EV, 1))
    assert (merged[..., 1] >= merged[..., [0, 2]].max(axis=2)).all()
    np.testing.assert_allclose(merged[0, 0], (2, 4, 2), rtol=0.01)


def test_mle_does_not_favour_samples_that_are_low(photo, registered_of, rng):
    """Weights from each sample's own noisy value would bias dim light; the mean of many pixels is right to 1 %."""
    light = np.full((200, 200, 3), 0.02, np.float32)
    merged = _merged(registered_of(_photos(light, photo, rng, (-1, 0, 1), 16), (-1, 0, 1), 1))
    assert merged.mean() == pytest.approx(0.02, rel=0.01)


def test_mertens_against_opencv(room, photo, registered_of):
    """Exposure fusion of OpenCV agrees in the large: it differs in pyramid depth and borders only."""
    images = _photos(room(), photo)
    ours = _merged(registered_of(images, EV, 1), "mertens")
    theirs = cv2.createMergeMertens().process([image.pixels for image in images])
    small = [cv2.resize(np.clip(one, 0, 1), (26, 18), interpolation=cv2.INTER_AREA) for one in (ours, theirs)]
    assert np.abs(small[0] - small[1]).mean() < 0.03
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.97
    assert ours.min() >= 0 and ours.max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 2), (5, 3)])
def test_mertens_of_tiny_frames(registered_of, shape, rng):
    images = [Image(rng.integers(0, 256, (*shape, 3)).astype(np.uint8), "srgb") for _ in EV]
    fused = _merged(registered_of(images, EV, 1), "mertens")
    codes = np.stack([image.pixels / 255 for image in images])
    assert (fused >= codes.min(0).min() - 0.3).all() and (fused <= 1).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_resampling_makes_no_black_dots(registered_of, rng, dtype):
    """Cubic interpolation undershoots beside bright edges: a moved frame is never darker than its neighbourhood."""
    full = int(np.iinfo(dtype).max)
    codes = np.where(rng.random((40, 60, 3)) < 0.5, 0.35, 0.8)  # leaves before a sky
    image = Image((codes * full).astype(dtype), "srgb")
    registered = registered_of([image, image], (0, 2))
    registered.registrations[0] = Registration(
        "aligned", np.array([[1, 0.003, 0.43], [0, 1, 0.37], [0, 0, 1.0]])
    )
    light = registered.strip(slice(0, 40)).light[0]
    assert light.min() >= srgb_decode(0.35) * 0.99
    assert light.std() > 0.1  # and it still shows them


def test_highlights_of_a_calibrated_response_are_neutral(registered_of):
    """Its channels clip at unlike levels; a clipped wall is white all the same, a coloured lamp keeps its colour."""
    top = np.array([0.8, 0.66, 1.0])
    curve = Response("calibrated", np.linspace(0, 1, 256)[:, None] ** 2 * top)
    codes = np.full((20, 30, 3), 255, np.uint8)
    codes[:, 15:, 2] = 128
    registered = registered_of([Image(codes, "srgb")] * 2, (-1, 0), 1)
    merged = _merged(replace(registered, responses=[curve] * 2))
    np.testing.assert_allclose(merged[:, :15], 2, rtol=1e-5)
    np.testing.assert_allclose(merged[:, 15:, :2], 2, rtol=1e-5)
    np.testing.assert_allclose(merged[:, 15:, 2], 2 * (128 / 255) ** 2, rtol=1e-3)


def _of_codes(registered):
    """The bracket as photos with a measured curve, the fixture's."""
    measured = Response("measured", registered.responses[0].table(np.dtype(np.uint8)), 1.0)
    return replace(registered, responses=[measured] * len(registered.responses), noise=measured.noise)


@pytest.mark.parametrize("light_off", [0.0, 0.02, 0.5])
def test_photos_with_a_measured_curve_weigh_by_codes_and_light(registered_of, monkeypatch, light_off):
    """Two photos that contradict each other: errors of light ask for the mean, errors of codes for steep places."""
    monkeypatch.setattr(mle, "LIGHT_OFF", np.float32(light_off))
    codes, gain = np.array([[40.0, 60, 110], [100, 130, 190]]), np.array([[1.0], [4.0]])
    images = [Image(np.full((12, 12, 3), one, np.uint8), "srgb") for one in codes]
    light = srgb_decode(codes / 255)
    step = (srgb_decode((codes + 1) / 255) - srgb_decode((codes - 1) / 255)) / 2
    weight = light**2 / (2e-5 * light + 1e-8 + step**2 + (light_off * light) ** 2)
    merged = _merged(_of_codes(registered_of(images, (0.0, 2.0))))[6, 6]
    np.testing.assert_allclose(merged, (weight * light / gain).sum(0) / weight.sum(0), rtol=0.01)


def test_black_of_a_short_photo_does_not_speak_for_a_long_one(registered_of):
    codes = ((3, 3, 3), (60, 45, 60))  # the short one's black says 1.3 to 2.8 times the light
    images = [Image(np.full((12, 12, 3), one, np.uint8), "srgb") for one in codes]
    merged = _merged(_of_codes(registered_of(images, (0.0, 6.0))))[6, 6]
    np.testing.assert_allclose(merged, srgb_decode(np.array(codes[1]) / 255.0) / 64, rtol=0.02)


def test_noise_of_a_channel_that_is_black_in_all_photos_does_not_speak(rng, registered_of):
    """A deep yellow: blue is 0 but for noise, which in the shortest photo would stand for much light."""
    photos = [np.full((24, 24, 3), (*bright, 0), np.uint8) for bright in ((20, 18), (80, 75), (190, 180))]
    for codes in photos[:2]:
        codes[..., 2] = np.clip(np.rint(rng.normal(0, 1.2, (24, 24))), 0, 255)
    registered = registered_of([Image(codes, "srgb") for codes in photos], (-6.0, -3.0, 0.0), 2)
    blue = _merged(_of_codes(registered))[..., 2]
    assert blue.max() < srgb_decode(np.array(5 / 255.0))  # the shortest photo's alone: up to code 65


def test_noise_of_short_photos_does_not_light_up_what_is_black_in_all(rng, registered_of):
    """Trees at night: by weights of each channel's own light, blue was five times what the longest photo says."""
    stops, shown = (-8.0, -6.0, -4.0, -2.0, 0.0), (2, 3, 0)
    photos = [rng.normal(0, 0.6, (48, 48, 3)) for _ in stops[:-1]] + [rng.normal(shown, 0.6, (48, 48, 3))]
    photos = [np.clip(np.rint(codes), 0, 255).astype(np.uint8) for codes in photos]
    registered = registered_of([Image(codes, "srgb") for codes in photos], stops, 4)
    merged = _merged(_of_codes(registered)).mean(axis=(0, 1))
    assert (merged < 2.5 * srgb_decode(photos[-1].mean(axis=(0, 1)) / 255)).all()
