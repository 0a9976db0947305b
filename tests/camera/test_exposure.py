"""Exposures: the formula, who is believed, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr.bracketing.bracket import exposures, make_bracket
from openhdr.camera.exposure import (
    all_equal,
    clipping_luminance,
    ev_from_metadata,
    ev_from_times,
    ev_from_user,
)
from openhdr.camera.response import analytic
from openhdr.core.errors import ExposureError, RequestError
from openhdr.core.image import Exposure

SRGB = analytic("srgb")
NAMES = ["a.jpg", "b.jpg", "c.jpg"]


def _bracket(room, photo, shutter=(1 / 400, 1 / 100, 1 / 25), **request):
    light = room(64, 96)
    images = [
        photo(light, ev, exposure=t and Exposure(t, 100, 8.0))
        for ev, t in zip((-2, 0, 2), shutter, strict=True)
    ]
    return make_bracket(images, NAMES, SRGB, **request)


def test_formula_by_hand():
    """1/60 s at f/4 and ISO 400 against 1/15 s at f/8 and ISO 100: (1/60 * 4 / 16) / (1/15 / 64) = 4 = 2 stops."""
    ev = ev_from_metadata([Exposure(1 / 60, 400, 4), Exposure(1 / 15, 100, 8)], NAMES[:2])
    assert ev[0] - ev[1] == pytest.approx(2)


def test_tags_that_no_frame_has_count_as_equal():
    ev = ev_from_metadata([Exposure(1 / 100), Exposure(1 / 25)], NAMES[:2])
    assert ev[1] - ev[0] == pytest.approx(2)


@pytest.mark.parametrize(
    ("last", "label"),
    [
        (None, "shutter time"),
        (Exposure(None, 100, 8), "shutter time"),
        (Exposure(1, None, 8), "ISO"),
        (Exposure(1, 100, None), "aperture"),
    ],
)
def test_a_tag_missing_in_one_frame_is_refused_by_name(last, label):
    with pytest.raises(ExposureError, match=rf"c\.jpg: no {label} .*`ev` or `times`.*`ev='auto'`"):
        ev_from_metadata([Exposure(1 / 100, 100, 8), Exposure(1 / 25, 100, 8), last], NAMES)


def test_equal_exposures_are_a_burst():
    shots = [Exposure(1 / 100, 100, 8)] * 3
    for ev in (
        ev_from_user([1, 1.01, 1], NAMES),
        ev_from_times([0.01] * 3, NAMES),
        ev_from_metadata(shots, NAMES),
    ):
        assert all_equal(ev)
    assert not all_equal(ev_from_user([0, 0, 0.3], NAMES))


@pytest.mark.parametrize("values", [[1, 2], [1, 2, 3, 4], []])
@pytest.mark.parametrize(("call", "option"), [(ev_from_user, "`ev`"), (ev_from_times, "`times`")])
def test_one_value_per_frame(call, option, values):
    with pytest.raises(ExposureError, match=f"{option} has {len(values)} values for 3 frames"):
        call(values, NAMES)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none(bad):
    with pytest.raises(ExposureError, match=r"`ev=.* finite"):
        ev_from_user([0, bad, 1], NAMES)
    with pytest.raises(ExposureError, match=r"`times=.* finite"):
        ev_from_times([1, bad, 2], NAMES)


@pytest.mark.parametrize("bad", [0, -0.01])
def test_times_are_above_zero(bad):
    with pytest.raises(ExposureError, match=r"`times=.* above 0"):
        ev_from_times([1, bad, 2], NAMES)


def test_the_user_goes_before_the_metadata(room, photo):
    bracket, source = _bracket(room, photo, ev=[1, 4, 7])
    assert source == "ev" and bracket.ev.tolist() == [-3, 0, 3]
    bracket, source = _bracket(room, photo, times=[1, 2, 4])
    assert source == "times" and bracket.ev == pytest.approx([-1, 0, 1])
    bracket, source = _bracket(room, photo)
    assert source == "the metadata" and bracket.ev == pytest.approx([-2, 0, 2])
    bracket, source = _bracket(room, photo, (None,) * 3, ev="auto")
    assert source == "the pixels" and bracket.ev == pytest.approx([-2, 0, 2], abs=0.1)


def test_ev_and_times_together_are_refused(room, photo):
    with pytest.raises(ExposureError, match=r"`ev` and `times`"):
        exposures([], [], SRGB, ev=[0, 1], times=[1, 2])
    with pytest.raises(ExposureError, match=r"`ev=automatic`"):
        exposures([], [], SRGB, ev="automatic")


@pytest.mark.parametrize("wrong", [(2, 0, -2), (-2, 2, 0), (0, -2, 2)])
def test_exposures_that_contradict_the_pictures(room, photo, wrong):
    with pytest.raises(ExposureError, match=r"darker picture.*`ev='auto'`"):
        _bracket(room, photo, ev=wrong)


@pytest.mark.parametrize("reference", [0, -1, 4])
def test_reference_counts_from_one(room, photo, reference):
    with pytest.raises(RequestError, match=f"`reference={reference}`: expected 1 to 3"):
        _bracket(room, photo, reference=reference)


def test_reference_is_the_one_asked_for_or_the_middle(room, photo):
    assert _bracket(room, photo, reference=3)[0].reference == 2
    assert _bracket(room, photo)[0].reference == 1


def test_clipping_luminance_of_sunny_sixteen():
    """Full sun (about 4000 cd/m2 of a grey card) is exposed by f/16 at 1/ISO: it clips some 3 stops above."""
    clips = clipping_luminance(Exposure(1 / 100, 100, 16))
    assert clips == pytest.approx(78 / 0.65 * 256)  # ISO 12232, saturation
    assert 2 < np.log2(clips / 4000) < 4
    assert clipping_luminance(Exposure(1 / 100, 100)) is None and clipping_luminance(None) is None
