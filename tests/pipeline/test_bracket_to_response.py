"""A camera's response from its photos, kept and found again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import openhdr
from openhdr import io
from openhdr.camera import remembered
from openhdr.camera.response import Response, analytic, load
from openhdr.core.errors import FileError, RequestError
from openhdr.core.image import Exposure, Image
from openhdr.pipeline.bracket_to_hdr import merge_bracket
from openhdr.pipeline.pipeline_options import CalibrateOptions, MergeOptions

TIMES = (1 / 400, 1 / 100, 1 / 25, 1 / 6.25)
CAMERA = {"make": "Acme", "model": "Acme One"}


def _curve() -> np.ndarray:
    code = np.arange(256) / 255
    return (code + 0.12 * np.sin(2 * np.pi * code)) ** 2.2


def _stops_off(response: Response) -> float:
    """Largest difference in stops from the true curve over its codes, but for one factor."""
    codes = slice(16, 240)
    return float(np.ptp(np.log2(response.table(np.dtype(np.uint8))[codes, 1] / _curve()[codes])))


@pytest.fixture
def shots(room, tmp_path) -> list[Path]:
    """Four PNGs of a camera with an S-curve of its own, which name it."""
    light, files = room(), []
    for number, time in enumerate(TIMES):
        exposed = np.clip(light * time / TIMES[1], 0, 1)
        codes = np.round(np.interp(exposed, _curve(), np.arange(256))).astype(np.uint8)
        files.append(tmp_path / f"{number}.png")
        io.write(files[-1], Image(codes, "srgb", Exposure(time, 100, 8.0), CAMERA))
    return files


def test_the_curve_is_the_camera_s(shots) -> None:
    response = openhdr.calibrate(shots)
    assert _stops_off(response) < 0.45 < 0.4 * _stops_off(analytic("srgb"))
    assert response.camera == "Acme One" and 0 < response.error < 2


def test_published_methods_come_near(shots) -> None:
    for method in ("debevec", "robertson"):
        found = openhdr.calibrate(shots, CalibrateOptions(method=method))
        assert _stops_off(found) < 0.7 * _stops_off(analytic("srgb")), method


def test_linear_photos_have_none(room, photo) -> None:
    frames = [photo(room(), ev, bits=0) for ev in (-2, 0)]
    with pytest.raises(RequestError, match="linear already"):
        openhdr.calibrate(frames, CalibrateOptions(ev=[-2, 0]))


def test_photos_that_share_nothing_tell_nothing(photo) -> None:
    flat = np.full((40, 60, 3), 0.3)
    with pytest.raises(RequestError, match="too few well exposed places"):
        openhdr.calibrate([photo(flat, -9), photo(flat, 9)], CalibrateOptions(ev=[-9, 9]))


def test_a_curve_beside_the_photos_is_found(shots, tmp_path) -> None:
    """Two photos that share too little to measure: the kept curve decodes them."""
    openhdr.calibrate(shots).save(tmp_path / "camera.json")
    few = [shots[0], shots[3]]
    options = MergeOptions(method="mle", align="none")
    result = merge_bracket(few, options)
    assert result.response.camera == "Acme One" or result.measured.origin.startswith("from these photos")
    other = [openhdr.read(path) for path in few]  # no folder to look in
    assert merge_bracket(other, options).response.camera == ""


def test_only_its_own_camera_s(shots, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("OPENHDR_RESPONSES", str(tmp_path / "kept"))
    response = openhdr.calibrate(shots)
    path = remembered.file_of(response.camera)
    path.parent.mkdir()
    response.save(path)
    assert path.name == "Acme-One.json"
    assert remembered.find("Acme One", ())[1] == path
    assert remembered.find("Acme Two", ()) is None and remembered.find("", ()) is None
    (tmp_path / "notes.json").write_text('{"camera": "Acme One"}')
    assert remembered.find("Acme One", [tmp_path])[1] == path  # a file of something else is passed over
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "curve": []}))
    with pytest.raises(FileError, match=r"Acme-One\.json: is not a response curve"):
        remembered.find("Acme One", ())


def test_a_better_curve_of_the_photos_themselves_rules(shots, tmp_path) -> None:

    replace(analytic("gamma:1.4"), camera="Acme One", error=1.0).save(tmp_path / "wrong.json")
    assert merge_bracket(shots, MergeOptions(method="mle")).measured.origin.startswith("from these photos")


def test_saved_and_loaded_it_is_the_same(shots, tmp_path) -> None:
    response = openhdr.calibrate(shots)
    response.save(tmp_path / "a.json")
    again = load(tmp_path / "a.json")
    assert (again.name, again.camera, again.error) == (response.name, response.camera, response.error)
    np.testing.assert_allclose(again.curve, response.curve, rtol=1e-5)


def test_the_order_of_the_photos_changes_no_curve(shots) -> None:
    """A folder listed as 1, 10, 2 took other places of the photos, and another curve near white."""
    first, other = (
        merge_bracket(given, MergeOptions(method="mle"))
        for given in (shots, [shots[k] for k in (2, 0, 3, 1)])
    )
    np.testing.assert_array_equal(first.response.curve, other.response.curve)


@pytest.mark.parametrize(
    ("metadata", "slope", "origin"),
    [
        (CAMERA, 1.0, "the mean of many cameras, because the frames share too few"),
        ({}, 1.55, "sRGB assumed, because the frames share too few"),
    ],
)
def test_a_camera_whose_curve_cannot_be_measured_is_taken_for_most(room, rng, metadata, slope, origin):
    """Two photos nine stops apart share nothing."""
    light = cv2.GaussianBlur(room(), (0, 0), 1)

    def shot(ev: float) -> Image:
        seen = np.clip(light * 2.0**ev, 0, 1)
        code = 255 * 1.5 * seen / (seen + 0.5) + rng.normal(0, 1, light.shape)
        return Image(np.rint(np.clip(code, 0, 255)).astype(np.uint8), "srgb", metadata=metadata)

    found = merge_bracket(
        [shot(-9), shot(0)], MergeOptions(ev=[-9, 0], method="mle", align="none", deghost=False)
    )
    assert found.measured.origin.startswith(origin)
    places = (light > 0.02) & (light < 0.5)  # in the longer one alone
    logs = np.log2(light[places]), np.log2(found.image.pixels[places])
    assert np.polyfit(*logs, 1)[0] == pytest.approx(slope, abs=0.1)
