"""Every metric: equal pictures are best, worse pictures are worse, nothing is ever NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest

from openhdr import metrics
from openhdr.core.errors import RequestError


@pytest.fixture
def reference(rng) -> np.ndarray:
    """(48, 64, 3) float32, linear: soft shapes over 8 stops with fine texture."""
    y, x = np.mgrid[0:48, 0:64] / 16.0
    stops = 2 * np.sin(x) + 2 * np.cos(1.3 * y) + rng.normal(0, 0.1, (48, 64))
    return (2.0 ** stops[..., None] * np.array([0.1, 0.09, 0.07])).astype(np.float32)


def _score(metric, loaded, test: np.ndarray, ref: np.ndarray) -> float:
    loaded(metric)
    protocol = "abs:1000" if metric.needs_protocol else None
    return metrics.evaluate(test, ref, [metric.name], protocol=protocol)[metric.name]


def _compares_light(metric) -> None:
    if metric.pictures == "display":
        pytest.skip("scores a picture beside its light, not light beside light")


def test_more_noise_is_worse(metric, loaded, reference, rng) -> None:
    _compares_light(metric)
    noise = rng.normal(0, 1, reference.shape)
    pictures = [(reference * np.exp(s * noise)).astype(np.float32) for s in (0, 0.02, 0.1, 0.4)]
    values = [_score(metric, loaded, picture, reference) for picture in pictures]
    assert not any(math.isnan(value) for value in values)
    assert values == sorted(values, reverse=metric.higher_is_better)
    assert values[1] != values[3]


def test_value_is_a_plain_number_with_a_protocol(metric, loaded, reference) -> None:
    loaded(metric)
    reference = np.tile(reference, (4, 3, 1))  # large enough for five scales
    protocol = "abs:1000" if metric.needs_protocol else None
    (score,) = metrics.scores(reference * np.float32(0.9), reference, [metric.name], protocol=protocol)
    assert type(score.value) is float and math.isfinite(score.value)
    assert metric.domain and metric.settings
    assert metric.name in score.protocol and metric.settings in score.protocol


def test_black_picture_is_a_number_or_a_clear_refusal(metric, loaded, reference) -> None:
    loaded(metric)
    for test, ref in ((np.zeros_like(reference), reference), (reference, np.zeros_like(reference))):
        try:
            value = _score(metric, loaded, test, ref)
        except RequestError as error:
            assert "\n" not in str(error)
        else:
            assert not math.isnan(value)


def test_absolute_light_has_to_be_stated(metric, loaded, reference) -> None:
    loaded(metric)
    if not metric.needs_protocol:
        pytest.skip("works on relative light")
    with pytest.raises(RequestError, match="`protocol="):
        metrics.evaluate(reference, reference, [metric.name])


def test_sizes_must_agree(metric, loaded, reference) -> None:
    loaded(metric)
    with pytest.raises(RequestError):
        metrics.evaluate(reference, reference[:-1], [metric.name], protocol="abs:1000")
