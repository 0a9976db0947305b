"""Grouping on simulated cards whose brackets are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from openhdr.bracketing.grouping import Shot, group, why_none

THIRDS = 2.0 ** (np.arange(-39, 15) / 3)  # shutter times that cameras have


class Camera:
    """Shoots a card. told: which tags it writes: "all", "bias", "mode" or "none"."""

    def __init__(self, seed: int, told: str = "all", exact: bool = True, name: str = "A", number: int = 100):
        self.rng = np.random.default_rng(seed)
        self.told, self.exact, self.name, self.number = told, exact, name, number
        self.clock, self.bracket = 1.7e9, 0
        self.shots: list[Shot] = []
        self.truth: list[tuple[str, int] | None] = []

    def wait(self, least: float, most: float) -> None:
        self.clock += self.rng.uniform(least, most)

    def shoot(
        self, ev: float, mode: int = 0, bias: float = 0.0, bracketing: bool = False, single: bool = False
    ):
        time_s = float(THIRDS[np.argmin(abs(np.log2(THIRDS) - ev))])
        self.shots.append(
            Shot(
                f"DCIM/DSC_{self.number:04d}.JPG", (6000, 4000), self.name, "jpeg", float(np.log2(time_s)), time_s,
                self.clock if self.exact else float(int(self.clock)), self.exact, 24.0,
                bias if self.told in ("all", "bias") else None, mode if self.told in ("all", "mode") else None,
                bracketing if self.told == "all" else None,
            )
        )  # fmt: skip
        self.truth.append(None if single else (self.name, self.bracket))
        self.number = self.number % 9999 + 1
        self.clock += time_s

    def single(self) -> None:
        self.wait(3, 40)
        self.shoot(self.rng.uniform(-9, -4), single=True)

    def aeb(
        self,
        count: int = 3,
        step: float = 2.0,
        before: tuple[float, float] = (3, 40),
        ev: float | None = None,
    ):
        """0, -, + and so on; automatic exposure, so that the next bracket's exposures are others."""
        self.wait(*before)
        self.bracket += 1
        middle = self.rng.uniform(-9, -3) if ev is None else ev
        for place in sorted(range(-(count // 2), count // 2 + 1), key=lambda n: (abs(n), n)):
            self.shoot(middle + place * step, 2, place * step, bracketing=True)
            self.wait(0.1, 0.6)

    def ladder(self, count: int, step: float, longest: float, pause: tuple[float, float]) -> None:
        """By hand on a tripod."""
        self.wait(20, 90)
        self.bracket += 1
        for n in range(count):
            self.shoot(np.log2(longest) - step * n, mode=1)
            self.wait(*pause)


def share_right(*cameras: Camera) -> float:
    """Share of photos that are in exactly the bracket they were shot in, or in none where they belong to none."""
    shots = [shot for camera in cameras for shot in camera.shots]
    truth = [one for camera in cameras for one in camera.truth]
    of = {i: frozenset(members) for members in group(shots) for i in members}
    wanted = {key: frozenset(i for i, one in enumerate(truth) if one == key) for key in set(truth) - {None}}
    return float(np.mean([of.get(i) == (wanted[key] if key else None) for i, key in enumerate(truth)]))


def _house(camera: Camera) -> None:
    for n in range(30):
        camera.aeb()
        if n % 3 == 0:
            camera.single()


def _panorama(camera: Camera) -> None:
    """Twelve brackets of one exposure a turn, without a pause to tell them apart."""
    for _ in range(4):
        camera.wait(30, 60)
        ev = camera.rng.uniform(-8, -4)
        for _ in range(12):
            camera.aeb(before=(0.3, 2), ev=ev)


def _test_shots(camera: Camera) -> None:
    """A photo to check the light before every bracket."""
    for _ in range(20):
        camera.single()
        camera.aeb(5, 1.0, before=(1, 4))


def _tripod(camera: Camera) -> None:
    for count in (18, 9, 7, 18, 12):
        camera.ladder(count, 1.0, 13.0, (0.5, 3))
        camera.single()


def _slow_hands(camera: Camera) -> None:
    for count in (7, 5, 8, 6):
        camera.ladder(count, 2.0, 2.0, (5, 20))


def _counter_rolls_over(camera: Camera) -> None:
    camera.number = 9950
    for _ in range(35):
        camera.aeb()


def _clock_is_set(camera: Camera) -> None:
    for jump in (-3600, -1e8, 1.3e8, 7200):
        for _ in range(8):
            camera.aeb()
        camera.clock += jump


CARDS: list[Callable[[Camera], None]] = [
    *(_house, _panorama, _test_shots, _tripod, _slow_hands, _counter_rolls_over, _clock_is_set),
]


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("exact", [True, False], ids=["fractions", "seconds"])
@pytest.mark.parametrize("told", ["all", "bias", "mode", "none"])
def test_cards(card, exact, told):
    cameras = [Camera(seed, told, exact) for seed in range(3)]
    for camera in cameras:
        card(camera)
    assert np.mean([share_right(camera) for camera in cameras]) >= 0.99


@pytest.mark.parametrize("told", ["all", "bias", "mode"])
def test_photos_taken_one_by_one_are_no_brackets(told):
    camera = Camera(1, told)
    for _ in range(60):
        camera.single()
        ev = camera.rng.uniform(-9, -4)
        for _ in range(camera.rng.integers(0, 5)):  # bursts, while the light and so the exposure changes
            camera.wait(0.2, 3)
            ev += camera.rng.normal(0, 0.3)
            camera.shoot(ev, single=True)
    assert share_right(camera) >= 0.99


def test_two_cameras_in_one_folder():
    one, other = Camera(1, name="A"), Camera(2, name="B")
    for _ in range(20):
        one.aeb()
        other.aeb(5, 1.0)
    assert share_right(one, other) == 1


def test_raw_and_jpeg_of_the_same_shots_are_two_brackets():
    camera = Camera(1)
    for _ in range(5):
        camera.aeb()
    raw = [replace(shot, name=shot.name.replace("JPG", "NEF"), kind="raw") for shot in camera.shots]
    both = [shot for pair in zip(camera.shots, raw, strict=True) for shot in pair]
    found = group(both)
    assert len(found) == 10 and all(len({both[i].kind for i in members}) == 1 for members in found)


def test_a_bracket_goes_on_in_the_next_folder_of_the_card_only():
    camera = Camera(1)
    camera.aeb()

    def moved(folders):
        names = [f"{folder}/{shot.name[5:]}" for folder, shot in zip(folders, camera.shots, strict=True)]
        return [replace(shot, name=name) for name, shot in zip(names, camera.shots, strict=True)]

    assert group(moved(("DCIM/100CANON", "DCIM/100CANON", "DCIM/101CANON"))) == [[0, 1, 2]]
    assert group(moved(("kitchen", "kitchen", "hall"))) == [[0, 1]]


def test_names_by_exposure_do_not_say_the_order():
    camera = Camera(1)
    camera.ladder(10, 1.0, 2.0, (2, 5))
    named = [replace(shot, name=f"{10 - n}.jpg") for n, shot in enumerate(camera.shots)]
    assert group(named) == [list(range(10))]


@pytest.mark.parametrize(
    "change",
    [{"size": (4000, 6000)}, {"focal_length": 35.0}, {"camera": "B"}, {"kind": "tiff"}, {"ev": None}],
)
def test_what_cannot_be_of_one_bracket(change):
    camera = Camera(1)
    camera.aeb()
    assert group([*camera.shots[:2], replace(camera.shots[2], **change)]) == [[0, 1]]


def test_numbers_of_the_camera_rule():
    camera = Camera(1)
    camera.aeb(5, 1.0)
    numbered = [replace(shot, sequence=n) for shot, n in zip(camera.shots, (1, 2, 3, 1, 2), strict=True)]
    assert group(numbered) == [[0, 1, 2], [3, 4]]


def test_a_deleted_shot_takes_no_stranger_in():
    camera = Camera(3)
    for _ in range(20):
        camera.aeb()
    kept = [n for n in range(len(camera.shots)) if n not in (4, 12, 29)]
    camera.shots, camera.truth = [camera.shots[n] for n in kept], [camera.truth[n] for n in kept]
    assert share_right(camera) == 1


def test_few_facts_and_none():
    shots = [Shot(f"{n}.jpg", (6, 4), ev=ev) for n, ev in enumerate((None, 0.0, 1.0, 2.0))]
    assert group(shots) == [[1, 2, 3]]
    assert group([]) == [] and group(shots[:1]) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"ev": None}, "unknown exposure"),
        ({"ev": 0.0}, "same exposure"),
        ({"size": (4, 6)}, "other size"),
        ({"camera": "B"}, "other camera"),
        ({"when": 100.0}, "long pause"),
        ({"when": 20.0}, "no bracket"),
    ],
)
def test_why_there_is_none(change, why):
    first = Shot("a", (6, 4), ev=0.0, time_s=1.0, when=0.0)
    assert why_none([first, replace(first, **{"ev": 1.0, **change})]) == (why, 1)


def by_times(*shots: tuple[float, float], mode: int | None = None) -> list[Shot]:
    """Shots of (seconds, exposure)."""
    return [
        Shot(f"{n:02d}.jpg", (6, 4), "A", "jpeg", ev, 2.0**ev, when, True, 24.0, mode=mode)
        for n, (when, ev) in enumerate(shots)
    ]


def test_a_burst_while_the_light_fades_is_no_bracket():
    assert group(by_times((0, -8.33), (1.4, -9), (3.4, -9.67), mode=0)) == []


def test_what_goes_on_in_steps_after_a_pause_is_the_next_bracket():
    first = [(0.4 * n, -11.0 + n) for n in range(5)]
    second = [(24.8 + 0.4 * n, -5.67 + n) for n in range(5)]
    assert group(by_times(*first, *second, mode=2)) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_a_photo_of_nearly_the_next_step_is_no_member():
    five = [(0.3 * n, -10.0 + n) for n in range(5)]
    assert group(by_times(*five, (7.0, -5.33))) == [[0, 1, 2, 3, 4]]


def test_cameras_do_not_wait_within_their_brackets():
    assert group(by_times((0, -6.33), (31, -8.33), (44, -4.33))) == []


def test_who_turns_the_dial_ends_the_bracket():
    series = by_times(*((2.0 * n, -3.0 - n) for n in range(7)), mode=1)
    later = replace(series[-1], name="07.jpg", when=series[-1].when + 3, ev=-10.0, mode=0)
    assert group([*series, later]) == [[0, 1, 2, 3, 4, 5, 6]]


def test_only_the_unchanged_exposure_of_a_camera_s_bracket_may_be_called_automatic():
    first, low, high = by_times((0, -6.0), (0.4, -8.0), (0.8, -4.0), mode=2)
    assert group([replace(first, mode=0), low, high]) == [[0, 1, 2]]
    assert group([replace(first, mode=0, ev=-2.0), low, high]) == [[1, 2]]


@pytest.mark.parametrize(
    "shots",
    [
        ((0, -7.3), (4, -8.7), (6, -6.0)),  # from the middle outwards, but by hand
        ((0, -6.0), (6.9, -7.0), (15.9, -8.0)),
        ((0, -4.67), (2, -5.33), (3, -6.0)),  # the light fades
        ((0, -4.0), (2, -5.0), (8, -9.0), (10, -10.0)),
    ],
)
def test_a_few_photos_of_which_nothing_is_told_are_a_bracket_only_when_taken_in_one_go(shots):
    assert group(by_times(*shots)) == []
    assert group(by_times(*((0.2 * n, -6.0 + n) for n in range(3)))) == [[0, 1, 2]]


def test_two_bursts_are_two_brackets_though_their_steps_go_on():
    burst = [(0.3 * n, -10.33 + n) for n in range(5)]
    assert group(by_times(*burst, *((13 + when, ev + 5) for when, ev in burst))) == [
        [0, 1, 2, 3, 4],
        [5, 6, 7, 8, 9],
    ]


def test_the_next_step_after_a_while_is_doubtful():
    shots = by_times(*((1.3 * n, -2.0 - n) for n in range(8)), (16.6, -10.0))
    assert group(shots) == [[0, 1, 2, 3, 4, 5, 6, 7]]
