"""Scores of one result, and maps of where it is wrong."""

from __future__ import annotations

import numpy as np

from openhdr.bench.case import BenchScene, Case
from openhdr.color.transfer import mu_law
from openhdr.metrics import Column, scores
from openhdr.metrics.pair import to_shortest
from openhdr.metrics.protocol import Protocol, parse

VISIBILITY = "hdr-vdp-2"  # the metric that can say where a difference is seen


def on_scale(light: np.ndarray, scene: BenchScene, column: Column) -> np.ndarray:
    """(H, W, 3) float32 light, 1.0 = the reference clips -> the values that a column's metric is given."""
    return light if column.scale == "reference" else to_shortest(light, scene.shortest_ev)


def score(light: np.ndarray, scene: BenchScene, case: Case) -> dict[str, float]:
    """{column key: value} of a result; a PSNR of equal images is inf."""
    found = {}
    for protocol in dict.fromkeys(column.protocol for column in case.columns):
        columns = [column for column in case.columns if column.protocol == protocol]
        keys, viewing = [column.key for column in columns], _viewing(columns[0], case)
        values = scores(light, scene.truth, keys, viewing, shortest_ev=scene.shortest_ev)
        found.update({one.metric: one.value for one in values})
    return {column.key: found[column.key] for column in case.columns}


def protocols(case: Case) -> list[dict[str, object]]:
    """What a reader must know to compare a column's numbers with others."""
    from openhdr.metrics import METRICS

    facts = []
    for column in case.columns:
        row = METRICS[column.metric]
        viewing = [str(_viewing(column, case))] if row.needs_protocol else []
        facts.append(
            {
                "key": column.key,
                "metric": column.metric,
                "scale": column.scale_text,
                "summary": row.summary,
                "unit": row.unit,
                "higher_is_better": row.higher_is_better,
                "protocol": "; ".join([column.scale_text, row.domain, row.settings, *viewing]),
            }
        )
    return facts


def error_map(light: np.ndarray, scene: BenchScene) -> np.ndarray:
    """(H, W) float32: mean over RGB of the mu-law difference, shortest-frame scale; 0..1."""
    shortest = Column("psnr-mu", "shortest")
    test, truth = (mu_law(on_scale(x, scene, shortest)) for x in (light, scene.truth))
    return np.abs(test - truth).mean(axis=2)


def visibility_map(light: np.ndarray, scene: BenchScene, case: Case) -> np.ndarray | None:
    """(H, W) probability that somebody sees the difference; None where the case has no such column."""
    column = next((column for column in case.columns if column.metric == VISIBILITY), None)
    if column is None:
        return None
    from openhdr.metrics.hdr_vdp_2 import visibility_map as visible
    from openhdr.metrics.pair import pair

    test, truth = (on_scale(x, scene, column) for x in (light, scene.truth))
    return visible(pair(test, truth, _viewing(column, case)))


def _viewing(column: Column, case: Case) -> Protocol | None:
    """What 1.0 means to a column's metric, where it is of absolute light."""
    return parse(column.protocol or case.protocol, case.ppd)
