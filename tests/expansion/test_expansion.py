"""Expansion operators: formulas by hand, what `trustnet-single` keeps and how it behaves, the honest account."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from openhdr.camera.response import analytic
from openhdr.color.transfer import srgb_decode, srgb_encode
from openhdr.core.errors import RequestError
from openhdr.core.image import Image
from openhdr.expansion.akyuz import AkyuzOptions, akyuz
from openhdr.expansion.claims import claims_of, honest_map, provenance
from openhdr.expansion.kovaleski_oliveira import kovaleski_oliveira
from openhdr.expansion.landis import LandisOptions, landis
from openhdr.expansion.overview import SIDE, overview_of
from openhdr.expansion.photo import Photo, photo_of
from openhdr.expansion.rempel import rempel
from openhdr.expansion.result import result_of
from openhdr.expansion.trustnet_single import TrustNetSingleOptions, read, trustnet_single
from openhdr.pipeline.photo_to_hdr import expand_photo
from openhdr.pipeline.pipeline_options import ExpandOptions

SRGB = analytic("srgb")


def photograph(light: np.ndarray) -> Image:
    """8-bit sRGB photo of linear light, clipping at 1."""
    return Image(np.rint(srgb_encode(np.clip(light, 0, 1)) * 255).astype(np.uint8), "srgb")


def lamp(rng: np.random.Generator, size: int = 96) -> np.ndarray:
    """(size, 1.5 size, 3) light: a dim textured wall, a lamp that clips all channels, a sky that clips blue."""
    y, x = np.mgrid[0:size, 0 : size * 3 // 2] / size
    light = 0.15 * rng.uniform(0.8, 1.2, (*x.shape, 3)) * np.array([1.0, 0.9, 0.8])
    sky = np.array([0.5, 0.7, 1.3]) * (1.15 - 0.5 * y)[..., None]
    light = np.where((x > 1)[..., None], sky, light)
    light[np.hypot(y - 0.5, x - 0.5) < 0.15] = 20.0
    return light.astype(np.float32)


@pytest.fixture
def photo(rng: np.random.Generator) -> Photo:
    return photo_of(photograph(lamp(rng)), SRGB)


def of_grey(light: list[float]) -> Photo:
    linear = np.repeat(np.array(light, np.float32)[None, :, None], 3, axis=2)
    clipped = linear >= 1
    return Photo(srgb_encode(linear).astype(np.float32), linear, clipped, clipped)


# --- photo ------------------------------------------------------------------------------------------------------


def test_codes_are_read_by_the_response() -> None:
    code = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    linear = photo_of(Image(code, "srgb"), SRGB).linear
    np.testing.assert_allclose(linear, srgb_decode(code / 255.0), atol=1e-6)
    squared = photo_of(Image(code, "srgb"), analytic("gamma:2")).linear
    np.testing.assert_allclose(squared, (code / 255.0) ** 2, atol=1e-5)


def test_a_scan_that_tops_out_below_255_clips_there(rng: np.random.Generator) -> None:
    code = rng.integers(0, 200, (64, 64, 3)).astype(np.uint8)
    code[:16] = 251
    photo = photo_of(Image(code, "srgb"), SRGB)
    assert photo.clipped[:16].all() and not photo.clipped[16:].any()
    assert photo.linear.max() == 1


def test_pits_of_a_jpeg_are_lost_but_not_called_clipped(rng: np.random.Generator) -> None:
    whole = photograph(lamp(rng)).pixels
    stored = cv2.imdecode(cv2.imencode(".jpg", whole, [cv2.IMWRITE_JPEG_QUALITY, 85])[1], cv2.IMREAD_COLOR)
    photo = photo_of(Image(stored, "srgb"), SRGB)
    assert np.array_equal(photo.clipped, stored == 255)
    disc = np.zeros(whole.shape[:2], np.uint8)
    cv2.circle(disc, (48, 48), 11, 1, -1)
    bright = (disc > 0)[..., None] & (stored > 245)
    assert photo.lost[bright].all() and not photo.clipped[bright].all()
    assert not photo.lost[photo.code < 0.95].any()


def test_hdr_and_broken_images_are_refused_by_name() -> None:
    for value, said in ((4.0, "HDR already"), (np.nan, "not finite"), (-1.0, "below 0")):
        image = Image(np.full((4, 4, 3), value, np.float32))
        with pytest.raises(RequestError, match=f"sun.exr: .*{said}"):
            photo_of(image, SRGB, "sun.exr")


# --- published operators ----------------------------------------------------------------------------------------


def test_landis_by_hand() -> None:
    out = landis(of_grey([0.25, 0.5, 0.75, 1.0]), LandisOptions(start=0.5, peak=5.0, power=2.0))[0, :, 0]
    # k = ((x - .5) / .5)^2: 0, 0, 1/4, 1; x (1 - k) + 5 k x
    np.testing.assert_allclose(out, [0.25, 0.5, 0.75 * (1 + 4 * 0.25), 5.0], rtol=1e-5)


def test_akyuz_is_a_gamma() -> None:
    levels = [0.0, 0.25, 0.5, 1.0]
    np.testing.assert_array_equal(akyuz(of_grey(levels))[0, :, 0], np.array(levels, np.float32))
    np.testing.assert_allclose(
        akyuz(of_grey(levels), AkyuzOptions(gamma=2.0))[0, :, 0], np.square(levels), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("operator", [rempel, kovaleski_oliveira])
def test_boost_is_full_at_the_lamp_and_small_on_the_wall(photo: Photo, operator) -> None:
    boost = operator(photo) / photo.linear
    assert boost[48, 48].min() > 3
    assert boost[5, 5].max() < boost[48, 48].min() / 2
    assert boost.min() >= 1 - 1e-6 and boost.max() <= 4 + 1e-5
    np.testing.assert_allclose(boost[..., 0], boost[..., 2], rtol=1e-5)  # hues stay


# --- trustnet-single --------------------------------------------------------------------------------------------


def test_measured_light_is_kept_and_clipped_light_rises(photo: Photo) -> None:
    out = trustnet_single(photo)
    assert out.dtype == np.float32 and np.isfinite(out).all()
    np.testing.assert_array_equal(out[~photo.lost], photo.linear[~photo.lost])
    assert out[photo.lost].min() >= 1
    assert out[48, 48].min() > 1.5  # a bright disc in a dim room is a lamp


def test_estimate_beats_the_photo_on_panorama_like_light(rng: np.random.Generator, photo: Photo) -> None:
    truth = lamp(rng)
    error = [
        np.abs(np.log2(one[photo.lost] / truth[photo.lost])).mean()
        for one in (photo.linear, trustnet_single(photo))
    ]
    assert error[1] < 0.8 * error[0]


def test_a_clipped_sky_has_no_soft_patches_beside_poles(rng: np.random.Generator) -> None:
    pixels = np.full((360, 480, 3), 255, np.uint8)
    pixels[240:] = rng.uniform(20, 110, (120, 480, 3))
    for left in (80, 200, 330):
        pixels[:, left : left + 9] = (40, 35, 30)
    stops = np.log2(trustnet_single(photo_of(Image(pixels, "srgb"), SRGB)))[60:180]
    assert stops[:, 120:160].mean() - stops[:, [74, 75, 76, 92, 93, 94]].mean() < 0.35


def test_strength_zero_is_the_photo(photo: Photo) -> None:
    out = trustnet_single(photo, TrustNetSingleOptions(strength=0))
    np.testing.assert_allclose(out, np.where(photo.lost, 1, photo.linear), atol=1e-6)


def test_most_stops_is_a_bound(photo: Photo) -> None:
    assert trustnet_single(photo, TrustNetSingleOptions(most_stops=0.5)).max() <= 2**0.5 + 1e-6


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_flat_photos(level: float) -> None:
    out = trustnet_single(photo_of(Image(np.full((9, 7, 3), level, np.float32), "srgb"), SRGB))
    assert np.isfinite(out).all() and ((out >= 1).all() if level == 1 else out.max() < 1)


def test_reduced_copy_gives_alike_light(rng: np.random.Generator) -> None:
    """Sizes count in shares of the picture: four times the pixels, the same lamp."""
    light = lamp(rng, 192)
    small = cv2.resize(light, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    one, other = (trustnet_single(photo_of(photograph(each), SRGB)) for each in (light, small))
    assert np.log2(one[96, 96] / other[48, 48]) == pytest.approx(0, abs=0.5)


def test_pieces_do_not_matter(photo: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trustnet_single(photo)
    monkeypatch.setattr("openhdr.expansion.trustnet_single.BAND", 3 * 144)
    np.testing.assert_allclose(trustnet_single(photo), whole, rtol=1e-5)


def test_maps_are_read_as_if_enlarged(rng: np.random.Generator) -> None:
    maps = rng.random((16, 24, 5), dtype=np.float32)
    whole = cv2.resize(maps, (110, 70), interpolation=cv2.INTER_LINEAR)
    for rows, columns in (((0, 69, 3, 35), (0, 109, 109, 50)), ((69, 69), (0, 1)), ((0,), (0,))):
        at = np.array(rows), np.array(columns)
        found = read(maps, (70, 110), at)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, whole[at], atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (2, 3), (5, 1200), (40, 30)])
@pytest.mark.parametrize("level", ["white", "black", "grey", "one white pixel", "speckled"])
def test_odd_photos(shape: tuple[int, int], level: str, rng: np.random.Generator) -> None:
    pixels = np.full((*shape, 3), {"white": 255, "black": 0}.get(level, 120), np.uint8)
    if level == "one white pixel":
        pixels[0, 0] = 255
    if level == "speckled":
        pixels[rng.random(shape) < 0.5] = 255
    for kind in (np.uint8, np.uint16):
        image = Image(pixels.astype(kind) * kind(np.iinfo(kind).max // 255), "srgb")
        photo = photo_of(image, SRGB)
        out = trustnet_single(photo)
        assert out.shape == pixels.shape and np.isfinite(out).all()
        np.testing.assert_array_equal(out[~photo.lost], photo.linear[~photo.lost])
        assert out[photo.lost].min(initial=1) >= 1 and out.max() <= 2**7


def test_grey_photos_stay_grey(rng: np.random.Generator) -> None:
    """Where all channels clip alike, the estimate may not tint what is not coloured."""
    photo = photo_of(photograph(lamp(rng).mean(axis=2, keepdims=True).repeat(3, axis=2)), SRGB)
    stops = np.log2(trustnet_single(photo)[photo.lost_everywhere])
    assert np.ptp(stops, axis=1).max() < 0.1 * stops.max()


def test_table_and_formula_give_one_photo(rng: np.random.Generator) -> None:
    """Codes by table against the same codes as floats."""
    code = rng.integers(0, 256, (40, 50, 3)).astype(np.uint8)
    exact = photo_of(Image(code.astype(np.float32) / 255, "srgb"), SRGB)
    for pixels in (code, code.astype(np.uint16) * 257):
        photo = photo_of(Image(pixels, "srgb"), SRGB)
        np.testing.assert_allclose(photo.linear, exact.linear, atol=1e-6)
        np.testing.assert_allclose(photo.code, code / 255, atol=1e-5)
        np.testing.assert_array_equal(photo.lost, exact.lost)


# --- overview -----------------------------------------------------------------------------------------------------


def test_overview_keeps_means_and_shares(rng: np.random.Generator) -> None:
    photo = photo_of(photograph(lamp(rng, 600)), SRGB)
    view = overview_of(photo)
    assert view.size == (SIDE, round(SIDE * 600 / 900))
    assert view.code.mean() == pytest.approx(photo.code.mean(), rel=1e-3)
    assert view.everywhere.mean() == pytest.approx(photo.lost.all(axis=2).mean(), rel=0.01)
    assert view.anywhere.mean() == pytest.approx(photo.lost.any(axis=2).mean(), rel=0.01)
    np.testing.assert_allclose(view.lost.mean(axis=(0, 1)), photo.lost.mean(axis=(0, 1)), rtol=0.01)


def test_depth_is_a_share_of_the_diagonal() -> None:
    linear = np.zeros((90, 120, 3), np.float32)
    linear[20:71, 30:81] = 1  # 51 x 51: 26 pixels from its centre to the nearest pixel outside
    photo = Photo(linear, linear, linear >= 1, linear >= 1)
    view = overview_of(photo)
    depth = view.depth(view.mostly_lost[..., 0].copy())
    assert depth[45, 55] == pytest.approx(26 / 150, rel=0.03) and depth[0, 0] == 0
    assert (view.depth(np.ones((4, 4), np.uint8)) == 1).all()


# --- account ----------------------------------------------------------------------------------------------------


def test_origin_counts_clipped_channels() -> None:
    linear = np.array([[[0.5, 0.5, 0.5], [1, 0.5, 0.5], [1, 1, 0.5], [1, 1, 1]]], np.float32)
    photo = Photo(srgb_encode(linear).astype(np.float32), linear, linear >= 1, linear >= 1)
    origin = provenance(photo)
    assert origin.tolist() == [[0, 1, 2, 3]] and origin.dtype == np.uint8
    made = linear.copy()
    made[0, 3] = (2.0, 4.0, 3.0)
    claims = claims_of(origin, made)
    assert (claims.measured, claims.recovered, claims.invented) == (0.25, 0.5, 0.25)
    assert (claims.highest, claims.stops_above_clip, claims.invented_stops) == (4.0, 2.0, 2.0)
    picture = honest_map(photo, origin)
    grey, one, two, three = picture[0].astype(int)
    assert grey.max() == grey.min() <= 160
    assert one[0] > 200 > one[2] and two[0] > 200 and three[0] > 150  # yellow, orange, red
    assert one[1] > two[1] > three[1]


def test_nothing_clipped_claims_nothing() -> None:
    result = expand_photo(Image(np.full((8, 8, 3), 100, np.uint8), "srgb")).result
    assert result.claims.measured == 1 and result.clipped_share == 0
    assert result.claims.stops_above_clip == result.claims.invented_stops == 0


def test_image_keeps_its_facts(rng: np.random.Generator) -> None:
    image = Image(photograph(lamp(rng)).pixels, "srgb", metadata={"model": "X100"})
    photo = photo_of(image, analytic("srgb"))
    result = result_of(image, photo, landis(photo, LandisOptions(peak=2.0)))
    assert result.image.encoding == "linear" and result.image.metadata["model"] == "X100"
    assert result.image.pixels.max() == pytest.approx(2.0)
    assert result.clipped_share == pytest.approx((image.pixels == 255).any(axis=2).mean())
    assert result.map().shape == image.pixels.shape


def test_linear_images_need_no_response(rng: np.random.Generator) -> None:
    light = np.clip(lamp(rng), 0, 1)
    result = expand_photo(Image(light), ExpandOptions(response="gamma:3")).result
    np.testing.assert_array_equal(result.image.pixels[light < 0.9], light[light < 0.9])


def test_unknown_method_is_refused() -> None:
    with pytest.raises(RequestError, match="did you mean 'rempel'"):
        expand_photo(Image(np.zeros((4, 4, 3), np.uint8), "srgb"), ExpandOptions("remple"))
