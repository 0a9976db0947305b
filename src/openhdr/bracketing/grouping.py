"""Which photos of a card belong to one bracket, by what the camera wrote about them; no pixel is looked at.

Photos are put into streams (one camera, one file format, one folder) and each stream into the order in which it was
shot. A stream is then cut into brackets and single photos at the least total cost. Costs are differences of log
likelihood, in nats, between "shot as one bracket" and "shot one by one"; the constants are set by hand on real cards.
What speaks for a bracket: no pause, equal steps of exposure, an order that cameras and people shoot in, the camera's
own tags, and the same cycle elsewhere on the card. What cannot be is never weighed: two equal exposures, two sizes.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Literal, get_args

from openhdr.core.files import natural_order

MOST_SHOTS = 32  # of a bracket
SAMPLE = 20_000  # photos in which cycles are looked for
SMALLEST_STEP = 0.22  # stops; cameras step by a third
LARGE_STEP = 0.9  # stops; automatic exposure seldom varies so much between shots
FASTEST_S, SLOWEST_S = 1 / 1900, 25.0  # shutter times that a camera may have none beyond
EQUAL_STEPS = 0.25  # stops that steps of one bracket differ by, rounding of the tags included
LONGEST_PAUSE = 45.0  # seconds between two shots, beyond their exposure
PAUSES = ((1.5, -1.0), (4.0, -0.3), (10.0, 0.3), (30.0, 0.6), (LONGEST_PAUSE, 1.5))  # up to s: cost of a link
UNKNOWN_PAUSE, CLOCK_JUMP = 0.3, 2.5
JUMP_S = 300 * 86400.0  # a longer pause between consecutive shots is a clock that was set
ZONE_S, ZONES = 1800.0, 28  # clocks are set by half hours
LONG_PAUSE, HESITATION = 4.0, 3.0  # times one second and the usual pause of the bracket; cost of a longer one
END_PAUSE = 1.5  # times the longest other pause: a photo that comes later, or sooner, than its neighbours' rhythm says
START, EAGER = 1.2, -0.5  # cost of a bracket; where cycles are collected, and for what is doubtful
SMALL_STEPS = 2.2  # cost where automatic exposure may have made the differences
FEW = 0.6  # cost of two photos that no tag tells of, and no bracket of the card holds
CHANCE = 1.2  # cost of three or four of which no tag tells that they are a bracket: slow, or of small or unequal steps
SLOW_S = 4.0  # between two shots: a camera's bracket has no such pauses
QUICK_S = 10.0  # between two shots from the middle outwards, which only cameras take, or that a camera calls a bracket
INSTANT_S = 1.5  # the same where no tag tells of a bracket: the program that left none took them in one go
UNEQUAL = 2.0  # what an order says at most where the steps differ
LONG = 5  # shots of a ladder that needs no other of its kind
CYCLE, COMMON = (
    3.0,
    0.1,
)  # gain where the card has the same cycle elsewhere; share of the card that it has to be
PAIRS_AGAIN = 4  # times that a cycle of two has to be there: two exposures are alike by chance
COUNTER_FULL, COUNTER_LOW = 9900, 100  # cameras count to 9999
ROLL_OVER_S = 86400.0
DISORDER = 0.2  # share of steps back in time from which names do not tell the order
DCF_FOLDER = re.compile(r"\d{3}\w{5}")  # of a card: when one is full, the camera goes on in the next

Obstacle = Literal[
    "unknown exposure", "same exposure", "other size", "other camera", "long pause", "no bracket"
]
"""Why photos form no bracket."""


Cycle = tuple[int, ...]
"""Exposures of a bracket in thirds of a stop, relative to its first shot, in the order of shooting."""


@dataclass(frozen=True, slots=True)
class Shot:
    """What grouping looks at. name: path, with `/` between folders. size: upright. camera: make, model and serial.

    ev: log2 exposure; when: seconds on the camera's clock; focal_length in mm; bias_ev: exposure compensation;
    mode: EXIF's exposure mode, 0 automatic, 1 manual, 2 bracket; bracketing, sequence: see `io.maker_notes`. None where
    unknown. exact: whether `when` has fractions of a second. kind: file format.
    """

    name: str
    size: tuple[int, int]
    camera: str = ""
    kind: str = ""
    ev: float | None = None
    time_s: float = 0.0
    when: float | None = None
    exact: bool = False
    focal_length: float | None = None
    bias_ev: float | None = None
    mode: int | None = None
    bracketing: bool | None = None
    sequence: int | None = None


def group(shots: Sequence[Shot], eager: bool = False) -> list[list[int]]:
    """Indices of the shots of each bracket, in the order of shooting; photos that belong to none are left out.

    Brackets come in natural order of their first photo's name. eager: doubtful ones, too.
    """
    streams = [_in_order(shots, stream) for stream in _streams(shots)]
    common = _common_cycles(shots, streams)
    found = [members for stream in streams for members in _cuts(shots, stream, common, eager)]
    return sorted(found, key=lambda members: natural_order(shots[members[0]].name))


def _common_cycles(shots: Sequence[Shot], streams: list[list[int]]) -> set[Cycle]:
    """Cycles of which the first photos, SAMPLE at least, hold several."""
    seen, counts = 0, Counter[Cycle]()
    for stream in streams:
        seen += len(stream)
        counts.update(_cycle([shots[i] for i in cut]) for cut in _cuts(shots, stream, set(), eager=True))
        if seen >= SAMPLE:
            break
    often = {2: PAIRS_AGAIN}
    return {c for c, n in counts.items() if n >= often.get(len(c), 2) and n * len(c) >= COMMON * seen}


def why_none(shots: Sequence[Shot]) -> tuple[Obstacle, int] | None:
    """What keeps shots that form no bracket apart, and the index of the first that it is seen at; None = nothing."""
    unknown = next((index for index, shot in enumerate(shots) if shot.ev is None), None)
    if unknown is not None:
        return "unknown exposure", unknown
    found = [(_obstacle(before, shot), index + 1) for index, (before, shot) in enumerate(pairwise(shots))]
    return min(found, key=lambda one: get_args(Obstacle).index(one[0]), default=None)


def _obstacle(before: Shot, shot: Shot) -> Obstacle:
    pause = _pause(before, shot)
    conditions: dict[Obstacle, bool] = {
        "same exposure": abs((shot.ev or 0.0) - (before.ev or 0.0)) < SMALLEST_STEP,
        "other size": shot.size != before.size,
        "other camera": shot.camera != before.camera,
        "long pause": pause is not None and not -LONGEST_PAUSE <= pause <= LONGEST_PAUSE,
        "no bracket": True,
    }
    return next(name for name, holds in conditions.items() if holds)


def _streams(shots: Sequence[Shot]) -> Iterator[list[int]]:
    """Indices of what one camera wrote in one format into one folder, or the numbered ones of a card, by name."""
    streams = defaultdict(list)
    for index, shot in enumerate(shots):
        folder = shot.name.rpartition("/")[0]
        parent, _, last = folder.rpartition("/")
        key = parent if DCF_FOLDER.fullmatch(last) else folder
        streams[shot.kind, shot.camera, key].append(index)
    for stream in streams.values():
        yield sorted(stream, key=lambda i: natural_order(shots[i].name))


def _in_order(shots: Sequence[Shot], stream: list[int]) -> list[int]:
    """A stream in the order of shooting: that of names, which holds when a clock was set, unless times contradict."""
    times = [shots[i].when for i in stream]
    known = [time for time in times if time is not None]
    back = [place for place, (earlier, later) in enumerate(pairwise(known), start=1) if later < earlier]
    if len(known) < len(times) or not back:
        return stream
    if len(back) == 1 and _rolls_over(shots[stream[0]], shots[stream[-1]]):
        return stream[back[0] :] + stream[: back[0]]
    if len(back) > DISORDER * (len(known) - 1):
        return [i for _, i in sorted(zip(known, stream, strict=True), key=lambda one: one[0])]
    return stream


def _rolls_over(first: Shot, last: Shot) -> bool:
    """Whether the camera's counter went from 9999 to 1 on the way: the last name was shot before the first."""
    low, high = (int((re.findall(r"\d+", shot.name) or ["0"])[-1]) for shot in (first, last))
    if first.when is None or last.when is None or low > COUNTER_LOW or high < COUNTER_FULL:
        return False
    return 0 <= first.when - last.when < ROLL_OVER_S


def _cuts(
    shots: Sequence[Shot], stream: list[int], cycles: set[Cycle], eager: bool = False
) -> list[list[int]]:
    """The brackets of a stream: the cut of least cost, by dynamic programming over its ends."""
    found = [shots[i] for i in stream]
    best, begin = [0.0], [0]
    for end in range(1, len(found) + 1):
        best.append(best[end - 1])  # a photo by itself
        begin.append(end - 1)
        for start, cost in _brackets_before(found, end, cycles, eager):
            if best[start] + cost < best[end] - 1e-9:
                best[end], begin[end] = best[start] + cost, start
    cuts, end = [], len(found)
    while end:
        if end - begin[end] > 1:
            cuts.append(stream[begin[end] : end])
        end = begin[end]
    return cuts[::-1]


def _brackets_before(
    shots: list[Shot], end: int, cycles: set[Cycle], eager: bool
) -> Iterator[tuple[int, float]]:
    """(start, cost) of every possible bracket whose last shot is the one before `end`."""
    last = shots[end - 1].ev
    if last is None:
        return
    differences = {abs(a - b) for cycle in cycles for a, b in combinations(cycle, 2)}
    links, exposures, pauses, biases = 0.0, [last], [], {shots[end - 1].bias_ev}
    for start in range(end - 2, max(end - 1 - MOST_SHOTS, -1), -1):
        link = _link(shots[start], shots[start + 1])
        ev = shots[start].ev
        if link is None or ev is None:
            return
        if any(abs(ev - other) < SMALLEST_STEP for other in exposures):
            return
        if shots[start].bracketing and shots[start].bias_ev in biases and len(biases) > 1:
            return
        biases.add(shots[start].bias_ev)
        links += link
        exposures.insert(0, ev)
        pauses.append(_pause(shots[start], shots[start + 1]) or 0.0)
        members = shots[start:end]
        order, steps = _order(exposures), _steps(members)
        told = any(shot.mode is not None or shot.bias_ev is not None for shot in members)
        modes = {shot.mode for shot in members}
        unchanged = [shot.ev for shot in members if shot.mode == 0]
        if modes == {0, 2} and (len(members) == 2 or unchanged != [sorted(exposures)[len(members) // 2]]):
            continue  # a camera may call the unchanged exposure of its bracket automatic, no other
        unmarked = modes <= {None, 0} and len(biases) == 1
        if order == "zigzag" and max(pauses) > (INSTANT_S if unmarked else QUICK_S):
            order = ""
        if unmarked and not order and max(pauses) > INSTANT_S:
            continue
        if len(pauses) > 1 and modes != {1} and max(pauses) > QUICK_S and sorted(pauses)[-2] <= INSTANT_S:
            continue  # two brackets that were each taken in one go
        cost = links + _shape(len(members), steps, order, modes == {1}) + _doubt(members, min(steps))
        if len(members) == 2 and not told and abs(_cycle(members)[1]) not in differences:
            cost += FEW
        if unmarked and len(members) in (3, 4):
            slow = max(pauses) > (INSTANT_S if modes == {0} else SLOW_S)
            cost += CHANCE if slow or min(steps) < LARGE_STEP or not _equal(steps) else 0.0
        cost += HESITATION if not eager and _hesitates(pauses, modes == {1}) else 0.0
        again = order and _cycle(members) in cycles and not (order == "ladder" and len(members) >= LONG)
        yield start, cost + (EAGER if eager else START) - (CYCLE if again else 0.0)


def _hesitates(pauses: list[float], manual: bool) -> bool:
    """Whether one pause is far longer than is usual in the bracket, or the longest parts its first or last photo.

    manual: the exposure of all photos was set by hand, which no photo taken in passing has; then the ends may be slow.
    """
    *others, longest = sorted(pauses)
    if longest > LONG_PAUSE * (1 + sorted(pauses)[(len(pauses) - 1) // 2]):
        return True
    ends = longest in (pauses[0], pauses[-1]) and len(pauses) > 2 and not manual
    return ends and longest > max(SLOW_S, END_PAUSE * others[-1])


def _link(before: Shot, shot: Shot) -> float | None:
    """What the time between two shots says; None = they cannot be of one bracket."""
    if shot.size != before.size or bool(shot.bracketing) != bool(before.bracketing):
        return None
    if before.focal_length and shot.focal_length and abs(before.focal_length - shot.focal_length) > 0.5:
        return None
    if shot.sequence and before.sequence and shot.sequence != before.sequence + 1:
        return None
    modes = {before.mode, shot.mode}
    if modes == {0, 1}:  # somebody turned the dial
        return None
    pause = _pause(before, shot)
    if pause is None:
        return UNKNOWN_PAUSE
    if modes == {2} and QUICK_S < pause <= LONGEST_PAUSE:
        return None
    if pause < 0 or pause > JUMP_S or _set_by_zones(pause):
        return CLOCK_JUMP
    return next((cost for longest, cost in PAUSES if pause <= longest), None)


def _pause(before: Shot, shot: Shot) -> float | None:
    """Seconds that nothing was exposed, at least; < 0 where the clock went back. Dates are those of the exposure's
    start or of its end, and long ones are often followed by a dark frame as long.
    """
    if before.when is None or shot.when is None:
        return None
    passed = shot.when - before.when
    exposed = max(before.time_s, shot.time_s)
    rounding = 0.0 if before.exact and shot.exact else 1.0
    if passed < 0:
        return min(passed + rounding + exposed, 0.0)
    return max(passed - exposed * (2 if exposed >= 1 else 1) - rounding, 0.0)


def _set_by_zones(pause: float) -> bool:
    """Whether a pause is one of half hours and a few seconds."""
    return (
        1 <= round(pause / ZONE_S) <= ZONES and abs((pause + ZONE_S / 2) % ZONE_S - ZONE_S / 2) < PAUSES[1][0]
    )


def _cycle(members: Sequence[Shot]) -> Cycle:
    first = members[0].ev or 0.0
    return tuple(round(3 * ((shot.ev or 0.0) - first)) for shot in members)


def _steps(members: Sequence[Shot]) -> list[float]:
    """Differences of the sorted exposures; without that of one end where the camera's fastest or slowest shutter cut it
    short.
    """
    ordered = sorted(members, key=lambda shot: shot.ev or 0.0)
    steps = [(longer.ev or 0.0) - (shorter.ev or 0.0) for shorter, longer in pairwise(ordered)]
    end = 0 if steps[0] < steps[-1] else -1
    limit = ordered[0].time_s <= FASTEST_S if end == 0 else ordered[-1].time_s >= SLOWEST_S
    if len(steps) > 3 and limit and steps[end] < sorted(steps)[len(steps) // 2] - EQUAL_STEPS:
        del steps[end]
    return steps


def _equal(steps: list[float]) -> bool:
    return max(steps) - min(steps) <= EQUAL_STEPS


def _order(ev: list[float]) -> str:
    """How the exposures follow each other: `ladder`, `zigzag` (from the middle outwards), or no order that is used."""
    place = {value: rank for rank, value in enumerate(sorted(ev))}
    ranks = [place[value] for value in ev]
    if max(abs(later - earlier) for earlier, later in pairwise(ranks)) == 1:
        return "ladder"
    outwards = [abs(2 * rank - len(ev) + 1) for rank in ranks]
    return "zigzag" if outwards == sorted(outwards) else ""


def _shape(count: int, steps: list[float], order: str, manual: bool) -> float:
    """What the exposures themselves say: equal steps, and an order that nobody shoots by chance."""
    if count < 3:
        return 0.0
    cost = -1.5 if _equal(steps) else 0.5
    if cost > 0 and (min(steps) < LARGE_STEP or _equal(steps[1:]) or _equal(steps[:-1])):
        cost = 2.0  # one of them looks like a stranger
    chance = math.lgamma(count + 1) - math.log(4)  # four orders of n!
    if cost > 0 and not manual:
        chance = min(chance, UNEQUAL)  # two brackets may follow each other in order
    return cost - chance if order else cost + 0.7


def _doubt(members: list[Shot], step: float) -> float:
    """What tags say, and how likely it is that the camera's automatic exposure alone made the differences."""
    count, modes = len(members), {shot.mode for shot in members}
    known = [shot.bias_ev for shot in members if shot.bias_ev is not None]
    stated, varied = len(known) == count, len(set(known)) > 1
    if all(shot.bracketing for shot in members):
        return -3.0
    if stated and varied:
        off = [bias - (shot.ev or 0.0) for bias, shot in zip(known, members, strict=True)]
        return -3.0 if max(off) - min(off) < EQUAL_STEPS else 2.0
    cost = (
        2.0 * (count - 1) if step < 0.6 else SMALL_STEPS if step < (LARGE_STEP if count > 2 else 1.5) else 0.0
    )
    cost -= 0.5 if count == 2 and step >= 1.5 else 0.0
    if modes == {1}:
        return cost - 1.0
    if modes != {0}:
        return cost + (1.5 if stated else 0.0)
    return cost + (max(4.0 - 1.5 * step, 1.0) if stated else 1.0)
