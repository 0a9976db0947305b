"""What is shown where no frame measured."""

from __future__ import annotations

import numpy as np

from openhdr.merging.composite import Composite
from openhdr.merging.hole_fill import make_hole_fill, pull_push


def test_pull_push_keeps_what_is_known_and_continues_it(rng):
    ramp = np.broadcast_to(np.linspace(0, 1, 64, dtype=np.float32)[None, :, None], (48, 64, 3))
    known = np.ones((48, 64), np.float32)
    known[16:32, 24:40] = 0
    filled = pull_push(ramp * known[..., None], known)
    np.testing.assert_allclose(filled[known > 0], ramp[known > 0], atol=1e-5)
    hole = filled[known == 0]
    assert hole.min() > 0.2 and hole.max() < 0.8
    assert filled[24, 25, 0] < filled[24, 38, 0]


def test_pull_push_without_anything_known():
    values = np.full((5, 7, 3), 0.3, np.float32)
    assert pull_push(values, np.zeros((5, 7), np.float32)) is values


def test_it_never_falls_below_the_bound(room):
    light = np.minimum(room(), 1)
    bound = light >= 0.93
    variance = np.full_like(light, 1e-4)
    composite = Composite(light, variance, bound, np.zeros_like(bound), variance[..., 0])
    hole_fill = make_hole_fill(composite, np.ones(3, np.float32))
    assert (hole_fill >= light - 1e-6).all() and np.isfinite(hole_fill).all()
    np.testing.assert_allclose(hole_fill[~bound], light[~bound], rtol=1e-6)
