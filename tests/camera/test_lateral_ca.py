"""Lateral chromatic aberration of known size: found, taken back, and not seen where there is none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from openhdr.camera.demosaic import develop
from openhdr.camera.lateral_ca import corrected_images, corrected_mosaics, measured
from openhdr.camera.mosaic import Mosaic, pattern_of
from openhdr.core.errors import RequestError
from openhdr.core.image import Image

HEIGHT, WIDTH = 480, 720
RED, BLUE = (0.0012, 0.0016), (-0.001, -0.0008)  # 1.2 px out and 0.8 px in in the corners


def cards(rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) float32: discs of all colours and sizes on grey, with soft edges."""
    picture = np.full((HEIGHT, WIDTH, 3), 0.3, np.float32)
    for _ in range(500):
        centre = (int(rng.integers(WIDTH)), int(rng.integers(HEIGHT)))
        colour = rng.uniform(0.05, 0.8) * rng.uniform(0.6, 1.1, 3)
        cv2.circle(picture, centre, int(rng.integers(4, 20)), tuple(map(float, colour)), -1, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), 0.8)


def aberrated(picture: np.ndarray) -> np.ndarray:
    """Red and blue drawn at r (1 + a + b r^2): each pixel q shows what lay at p, by fixed-point iteration."""
    out = picture.copy()
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    x, y = x - (WIDTH - 1) / 2, y - (HEIGHT - 1) / 2
    corner = ((WIDTH - 1) ** 2 + (HEIGHT - 1) ** 2) / 4
    for channel, (a, b) in ((0, RED), (2, BLUE)):
        u, v = x, y
        for _ in range(5):
            scale = 1 + a + b * (u * u + v * v) / corner
            u, v = x / scale, y / scale
        places = ((u + (WIDTH - 1) / 2).astype(np.float32), (v + (HEIGHT - 1) / 2).astype(np.float32))
        plane = np.ascontiguousarray(picture[..., channel])
        out[..., channel] = cv2.remap(plane, *places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return out


def error(picture: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(picture - truth)[8:-8, 8:-8])))


def test_known_aberration_is_found_and_none_where_there_is_none(rng) -> None:
    picture = cards(rng)
    noisy = [np.clip(one + rng.normal(0, 0.01, one.shape), 0, 1) for one in (aberrated(picture), picture)]
    with_it, without = (measured([np.sqrt(one).astype(np.float32)]) for one in noisy)
    expected = [sum(RED) * np.hypot(WIDTH, HEIGHT) / 2, sum(BLUE) * np.hypot(WIDTH, HEIGHT) / 2]
    np.testing.assert_allclose(with_it.corner_shift((HEIGHT, WIDTH)), expected, atol=0.12)
    np.testing.assert_allclose(without.corner_shift((HEIGHT, WIDTH)), 0, atol=0.12)


def test_channels_that_show_different_things_are_left_alone(rng) -> None:
    """Independent noise has no common detail; what fits best there is chance."""
    noise = cv2.GaussianBlur(rng.random((HEIGHT, WIDTH, 3)).astype(np.float32), (0, 0), 1.5)
    assert measured([noise]).channels == []


@pytest.mark.parametrize("codes", [False, True])
def test_photos_are_corrected(rng, codes: bool) -> None:
    truth = cards(rng)
    seen = aberrated(truth)
    if codes:
        truth, seen = (np.rint(np.clip(one, 0, 1) * 255).astype(np.uint8) for one in (truth, seen))
    (image,) = corrected_images([Image(seen, "srgb" if codes else "linear")])
    assert image.pixels.dtype == seen.dtype
    assert error(image.pixels.astype(float), truth) < 0.4 * error(seen.astype(float), truth)
    assert "red +1." in image.notes[-1]


@pytest.mark.parametrize("array", ["rggb", "gbrg"])
def test_sensor_values_are_corrected(rng, array: str) -> None:
    truth = cards(rng)
    pattern = pattern_of(array)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    colour = pattern[y % 2, x % 2].astype(int)[..., None]

    def sensor(picture: np.ndarray) -> Mosaic:
        sites = np.take_along_axis(picture, colour, 2)[..., 0]
        codes = np.rint(200 + np.clip(sites, 0, 1) * 4000).astype(np.uint16)
        black, white = np.full((2, 2), 200, np.float32), np.full((2, 2), 4200, np.float32)
        return Mosaic(codes, pattern, black, white, np.ones(3))

    seen = sensor(aberrated(truth))
    (mosaic,) = corrected_mosaics([seen])
    best = error(develop(sensor(truth)), truth)  # what demosaicing alone errs
    assert error(develop(mosaic), truth) - best < 0.5 * (error(develop(seen), truth) - best)


def test_clipped_sites_stay_clipped_and_other_arrays_are_refused(rng) -> None:
    bright = aberrated(cards(rng))
    bright[100:140, 100:140] = 1
    (image,) = corrected_images([Image(bright, "linear")])
    assert (image.pixels[102:138, 102:138] == 1).all()
    pattern = pattern_of("xtrans")
    zeros = np.zeros(pattern.shape)
    xtrans = Mosaic(bright[..., 1], pattern, zeros, zeros + 1, np.ones(3))
    with pytest.raises(RequestError, match="raw_domain=off"):
        corrected_mosaics([xtrans])
