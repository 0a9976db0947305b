"""Which three frames of a bracket a three-frame network gets; known without torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openhdr.core.errors import RequestError
from openhdr.core.image import middle_exposure
from openhdr.models.rows import ROUNDED_EV

TRAINED_STEP_EV = 2.0
"""Distance of the outer frames from the medium one in most of the data on which these networks were trained."""

MOST_STEP_EV = 3.0 + ROUNDED_EV
"""The largest distance in these data."""


def choose_three(ev: Sequence[float], reference: int | None = None) -> tuple[int, int, int]:
    """Indices (short, medium, long) of the frames of a bracket that suit a three-frame network best.

    ev: (N,) stops. reference: index of the medium frame, whose geometry and scale the result keeps; None =
    the middle exposure. Short: the shortest that the networks know, so that least clips; long: the frame nearest to
    two stops away, what they know best. Raises RequestError when a side has none, as with two frames.
    """
    stops = np.asarray(ev, dtype=np.float64)
    if len(stops) < 3:
        raise RequestError(
            f"the bracket has {len(stops)} frames, but this network needs three exposures; "
            "add a frame or choose a classical `method`"
        )
    medium = middle_exposure(stops) if reference is None else reference
    distance = stops - stops[medium]
    shorter, longer = np.flatnonzero(distance < 0), np.flatnonzero(distance > 0)
    if not (len(shorter) and len(longer)):
        side = "longer" if len(shorter) else "shorter"
        raise RequestError(
            f"no frame has a {side} exposure than frame {medium + 1}, the reference, but this network needs "
            "one shorter and one longer; choose another `reference` or a classical `method`"
        )
    known = shorter[distance[shorter] >= -MOST_STEP_EV]
    short = known[np.argmin(distance[known])] if len(known) else shorter[np.argmax(distance[shorter])]
    long = longer[np.argmin(np.abs(distance[longer] - TRAINED_STEP_EV))]
    return int(short), int(medium), int(long)
