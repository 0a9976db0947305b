"""Distributions that simulation parameters are drawn from. Their fields are all that defines them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


class Distribution(Protocol):
    """Something that a number is drawn from."""

    def draw(self, rng: np.random.Generator) -> float: ...


@dataclass(frozen=True)
class Uniform:
    """Every value from low to high is equally likely."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        return float(self.low + (self.high - self.low) * rng.random())


@dataclass(frozen=True)
class LogUniform:
    """Every factor is equally likely: uniform in the logarithm, from low to high, both > 0."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        return float(np.exp(np.log(self.low) + (np.log(self.high) - np.log(self.low)) * rng.random()))


@dataclass(frozen=True)
class Normal:
    """Gaussian, cut off at three standard deviations by clipping."""

    mean: float
    std: float

    def draw(self, rng: np.random.Generator) -> float:
        return float(self.mean + self.std * np.clip(rng.standard_normal(), -3, 3))


@dataclass(frozen=True)
class Mixture:
    """The first distribution with probability `share`, else the second."""

    share: float
    first: Distribution
    second: Distribution

    def draw(self, rng: np.random.Generator) -> float:
        chosen = self.first if rng.random() < self.share else self.second
        return chosen.draw(rng)


@dataclass(frozen=True)
class Fixed:
    """Always one value."""

    value: float

    def draw(self, rng: np.random.Generator) -> float:
        return float(self.value)


def choose(options: Sequence[Any], rng: np.random.Generator) -> Any:
    """One of the options, all equally likely."""
    return options[int(rng.integers(len(options)))]
