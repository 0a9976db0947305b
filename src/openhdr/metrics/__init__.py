"""Scores of an image against a reference, each with the protocol that makes it comparable.

    evaluate(test, ref, ["psnr-mu"])                            # {"psnr-mu": 38.1}
    evaluate(test, ref, ["hdr-vdp-2"], protocol="liu2020")
    scores(test, ref, ["psnr-mu"])                              # the same as Score: value, unit, protocol

A metric is a pure function of a `Pair`; its docstring has the equation, the domain and the unit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from openhdr.core.errors import RequestError
from openhdr.core.table import Row, Table
from openhdr.core.version import __version__

if TYPE_CHECKING:
    from openhdr.metrics.pair import Pair, Picture
    from openhdr.metrics.protocol import Protocol

Cost = Literal["cheap", "slow"]


@dataclass(frozen=True)
class MetricRow(Row):
    """domain: what the pixels are turned into before they are compared. settings: its constants.

    unit: of the score, empty for a plain number. needs_protocol: whether 1.0 has to be declared in cd/m2.
    needs_ppd: whether pixels per degree matter too.
    cost: cheap = well under a second for two megapixels, slow = seconds.
    pictures: light = both are light; display = the test is a picture for a screen made of the reference's light.
    """

    domain: str = ""
    settings: str = ""
    unit: str = ""
    higher_is_better: bool = True
    needs_protocol: bool = False
    needs_ppd: bool = False
    cost: Cost = "cheap"
    pictures: Literal["light", "display"] = "light"


METRICS: Table[MetricRow] = Table(
    "metric",
    MetricRow(
        "psnr-l",
        "PSNR of linear values.",
        "openhdr.metrics.psnr:psnr_l",
        domain="linear as given",
        settings="peak 1",
        unit="dB",
    ),
    MetricRow(
        "psnr-mu",
        "PSNR after the mu-law.",
        "openhdr.metrics.psnr:psnr_mu",
        domain="mu-law of the values as given",
        settings="mu 5000, peak 1",
        unit="dB",
    ),
    MetricRow(
        "psnr-mu-curve",
        "PSNR after the mu-law and the best rising curve.",
        "openhdr.metrics.psnr:psnr_mu_curve",
        domain="mu-law of the values as given, test through the best rising curve",
        settings="mu 5000, peak 1, one curve for all channels",
        unit="dB",
    ),
    MetricRow(
        "ntire-psnr",
        "PSNR of the NTIRE challenges (gamma-coded).",
        "openhdr.metrics.psnr:ntire_psnr",
        domain="gamma-coded",
        settings="gamma 2.24, peak max of ref",
        unit="dB",
    ),
    MetricRow(
        "ntire-psnr-mu",
        "mu-PSNR of the NTIRE challenges (normalised, tanh, mu-law).",
        "openhdr.metrics.psnr:ntire_psnr_mu",
        domain="tanh and mu-law of linear / p99 of ref",
        settings="mu 5000, percentile 99 of ref, peak 1",
        unit="dB",
    ),
    MetricRow(
        "ssim-mu",
        "SSIM after the mu-law.",
        "openhdr.metrics.ssim:ssim_mu",
        domain="mu-law of the values as given",
        settings="mu 5000, Gaussian 1.5, population covariance, range 1, mean over RGB",
    ),
    MetricRow(
        "pu21-psnr",
        "PSNR of perceptually uniform values.",
        "openhdr.metrics.psnr:pu21_psnr",
        domain="PU21 of cd/m2",
        settings="banding_glare, peak 256, RGB",
        unit="dB",
        needs_protocol=True,
    ),
    MetricRow(
        "pu21-ssim",
        "SSIM of perceptually uniform luminance.",
        "openhdr.metrics.ssim:pu21_ssim",
        domain="PU21 of cd/m2",
        settings="banding_glare, Gaussian 1.5, population covariance, range 256, luminance",
        needs_protocol=True,
    ),
    MetricRow(
        "hdr-vdp-2",
        "Visible difference predicted by HDR-VDP 2.2.2.",
        "openhdr.metrics.hdr_vdp_2:hdr_vdp_2",
        domain="cd/m2",
        settings="version 2.2.2, rgb-bt.709, surround 1e-5 cd/m2",
        unit="Q",
        needs_protocol=True,
        needs_ppd=True,
        cost="slow",
    ),
    MetricRow(
        "cvvdp",
        "Visible difference predicted by ColorVideoVDP.",
        "openhdr.metrics.cvvdp:cvvdp",
        extra="cvvdp",
        domain="cd/m2",
        settings="ColorVideoVDP, display standard_hdr_linear (at most 1500 cd/m2, 75.4 ppd)",
        unit="JOD",
        needs_protocol=True,
        cost="slow",
    ),
    MetricRow(
        "delta-e-2000",
        "Mean CIEDE2000 colour difference on an sRGB display.",
        "openhdr.metrics.ciede2000:delta_e_2000",
        domain="sRGB of clip(linear / p99 of ref)",
        settings="percentile 99 of ref, D65",
        unit="CIEDE2000",
        higher_is_better=False,
    ),
    MetricRow(
        "tm-psnr",
        "PSNR after Liang's tone mapper.",
        "openhdr.metrics.psnr:tm_psnr",
        domain="tone-mapped, each picture on its own",
        settings="Liang 2018, peak 1",
        unit="dB",
        cost="slow",
    ),
    MetricRow(
        "tm-ssim",
        "SSIM after Liang's tone mapper.",
        "openhdr.metrics.ssim:tm_ssim",
        domain="tone-mapped, each picture on its own",
        settings="Liang 2018, Gaussian 1.5, population covariance, range 1, mean over RGB",
        cost="slow",
    ),
    MetricRow(
        "tmqi",
        "Quality of a tone-mapped picture beside its light: structure and naturalness.",
        "openhdr.metrics.tmqi:tmqi",
        domain="sRGB codes of test beside linear ref",
        settings="Yeganeh and Wang 2013, luminance, five scales",
        pictures="display",
    ),
    MetricRow(
        "tmqi-naturalness",
        "How usual mean and contrast of a picture are among photos.",
        "openhdr.metrics.tmqi:tmqi_naturalness",
        domain="sRGB codes of test",
        settings="Yeganeh and Wang 2013, luminance",
        pictures="display",
    ),
)


@dataclass(frozen=True)
class Column:
    """A metric of the table METRICS on a declared scale.

    scale: `reference` = values as given, 1.0 = the reference frame clips, nothing clipped;
        `shortest` = divided by the level where the shortest frame clips, then clipped to 0..1: no method can
        know light beyond it, and none is punished or rewarded for guessing it.
    protocol: what 1.0 means to a metric of absolute light; empty = as for the others.
    """

    metric: str
    scale: Literal["shortest", "reference"] = "reference"
    protocol: str = ""

    @property
    def key(self) -> str:
        """`psnr-mu` or `psnr-mu@shortest`: the name in files and on the command line."""
        return self.metric if self.scale == "reference" else f"{self.metric}@{self.scale}"

    @property
    def row(self) -> MetricRow:
        return METRICS[self.metric]

    @property
    def scale_text(self) -> str:
        if self.scale == "reference":
            return "1.0 = the reference frame clips, values as given"
        return "1.0 = the shortest frame clips, clipped to 0..1"


def parse_column(text: str) -> Column:
    """`psnr-mu` or `psnr-mu@shortest`. Raises RequestError for an unknown metric or scale."""
    metric, _, scale = text.partition("@")
    name = METRICS[metric].name
    if scale not in ("", "reference", "shortest"):
        raise RequestError(f"metric '{text}': expected {metric} or {metric}@shortest")
    return Column(name, "shortest" if scale == "shortest" else "reference")


@dataclass(frozen=True)
class Score:
    """value of a metric (`psnr-mu`, `psnr-mu@shortest`), and what another must share to be compared with it."""

    metric: str
    value: float
    unit: str
    higher_is_better: bool
    protocol: str


def evaluate(
    test: Picture,
    ref: Picture,
    names: Iterable[str] | None = None,
    protocol: str | float | Protocol | None = None,
    ppd: float = 30.0,
    shortest_ev: float | None = None,
) -> dict[str, float]:
    """Score `test` against `ref`: {metric name: value}.

    test, ref: Images (`srgb` ones are linearised) or (H, W, 3) float arrays, linear Rec.709, finite.
    names: metrics of METRICS, NAME or NAME@shortest (see `Column`); None = every cheap one that can be had
        (see `defaults`).
    protocol: "liu2020", "abs:PEAK" or PEAK in cd/m2 of the value 1.0; needed by metrics of absolute light.
    ppd: pixels per degree of visual angle, for hdr-vdp-2.
    shortest_ev: stops of the bracket's shortest frame relative to the reference, <= 0; needed by NAME@shortest.
    Values may be inf (a PSNR of equal images), never NaN. Raises RequestError for unequal sizes, NaN or
    infinite pixels, unknown names, a missing protocol, and where a metric is not defined: a black reference,
    values below 0 where a root or logarithm is taken, images smaller than a window.

    >>> import numpy as np, openhdr
    >>> ref = np.full((8, 8, 3), 0.5)
    >>> openhdr.metrics.evaluate(ref * 0.9, ref, ["psnr-l"])
    {'psnr-l': 26.02...}
    """
    return {score.metric: score.value for score in scores(test, ref, names, protocol, ppd, shortest_ev)}


def scores(
    test: Picture,
    ref: Picture,
    names: Iterable[str] | None = None,
    protocol: str | float | Protocol | None = None,
    ppd: float = 30.0,
    shortest_ev: float | None = None,
) -> tuple[Score, ...]:
    """As `evaluate`, but every value with its unit and protocol."""
    from openhdr.metrics.pair import pair
    from openhdr.metrics.protocol import parse

    meaning = parse(protocol, ppd)
    columns = columns_of(names, meaning)
    check_shortest(columns, shortest_ev)
    both = pair(test, ref, meaning, shortest_ev)
    return tuple(score(column, both) for column in columns)


def columns_of(names: Iterable[str] | None, protocol: Protocol | None) -> list[Column]:
    """What `names` mean (None = `defaults`). Raises RequestError for unknown names and a missing protocol."""
    columns = [parse_column(name) for name in (defaults(protocol is not None) if names is None else names)]
    for column in columns:
        if column.row.needs_protocol and protocol is None:
            raise RequestError(
                f"'{column.key}' works on absolute light and what 1.0 means in cd/m2 is not declared; "
                "set `protocol='liu2020'` or `protocol='abs:PEAK'` (PEAK = cd/m2 of the value 1.0)"
            )
    return columns


def check_shortest(columns: Iterable[Column], shortest_ev: float | None) -> None:
    """Raise RequestError where a metric needs to know the shortest frame's exposure and it is missing or wrong."""
    needy = next((column.key for column in columns if column.scale == "shortest"), None)
    if needy and shortest_ev is None:
        raise RequestError(
            f"'{needy}' is on the scale of the bracket's shortest frame, whose exposure is not declared; "
            "set `shortest_ev`, its stops relative to the reference, such as -2"
        )
    if shortest_ev is not None and not -60 <= shortest_ev <= 0:
        raise RequestError(
            f"`shortest_ev={shortest_ev:g}`: the shortest frame is no longer than the reference; expected stops from "
            "-60 to 0"
        )


def score(column: Column, pair: Pair) -> Score:
    """One metric of a pair made by `openhdr.metrics.pair.pair`; several metrics of one pair share work."""
    row, on_shortest = column.row, column.scale == "shortest"
    value = float(row.load()(pair.at_shortest if on_shortest else pair))
    if math.isnan(value):
        raise RequestError(
            f"'{row.name}' is not defined for these images; expected values of 0 and above, clip them first"
        )
    scale = [f"{column.scale_text} ({pair.shortest_ev:+g} EV)"] if on_shortest else []
    facts = [column.key, *scale, row.domain, row.settings]
    if pair.protocol is not None and row.needs_protocol:
        facts += [pair.protocol.light, *([f"{pair.protocol.ppd:g} ppd"] if row.needs_ppd else [])]
    facts.append(f"openhdr {__version__}")
    return Score(column.key, value, row.unit, row.higher_is_better, "; ".join(facts))


def defaults(with_protocol: bool) -> list[str]:
    """What is computed when no metric is named: cheap ones of light; those of absolute light only with a protocol."""
    rows = [row for row in METRICS.values() if row.cost == "cheap" and row.pictures == "light"]
    return [row.name for row in rows if with_protocol or not row.needs_protocol]
