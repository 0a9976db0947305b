"""`openhdr models`: every network with its size and its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from openhdr.cli.shared.command import command
from openhdr.cli.shared.terminal import echo_json, format_table
from openhdr.core.options import option

SCENES = (
    "Scores compare only with those on the same scenes and in the same metric: public = the 32 brackets of `openhdr "
    "bench public`, public-single = one photo of each, public-real-camera = the 20 of that case, validation = 12 "
    "simulated brackets, or photos, kept from training."
)


@dataclass(frozen=True)
class Request:
    """The command's options."""

    as_json: bool = option("Print the facts as JSON.", False, flags=("--json",))


@command("models", Request)
def models(request: Request) -> None:
    """List the networks: what they do, their size, and the trained weights that come with openhdr.

    GMACs are 1e9 multiply-adds at 1060x1900 by the rule of the NTIRE challenges.
    """
    facts = facts_of_models()
    if request.as_json:
        echo_json(facts)
        return
    rows = [
        {
            "network": one["name"],
            "task": one["task"],
            "frames": str(one["frames"]),
            "parameters": f"{one['params']:,}",
            "GMACs": f"{one['gmacs']:,.1f}",
            "weights": ", ".join(weight["name"] for weight in one["weights"]) or "none: train them",
        }
        for one in facts
    ]
    click.echo(format_table(rows))
    for one in facts:
        click.echo(f"{one['name']}: {one['summary']} ({one['paper']})")
        for weight in one["weights"]:
            said = (weight["summary"], weight["training_data"], weight["licence"])
            click.echo(f"  weights {weight['name']}: {'; '.join(part for part in said if part)}")
            of_scenes: dict[str, list[str]] = {}
            for name, value in weight["scores"].items():
                metric, _, scenes = name.partition(", ")
                of_scenes.setdefault(scenes, []).append(f"{metric} {value:g}")
            for scenes, scores in of_scenes.items():
                click.echo(f"    on {scenes}: {', '.join(scores)}")
    click.echo(SCENES)


def facts_of_models() -> list[dict[str, Any]]:
    """One dict a network, in the order of the table; the first of its weights are its default."""
    from openhdr.models import MODELS, WEIGHTS

    weights: dict[str, list[dict[str, Any]]] = {name: [] for name in MODELS}
    for one in WEIGHTS.values():
        weights[one.network].append(
            {
                "name": one.name,
                "summary": one.summary,
                "licence": one.licence,
                "training_data": one.training_data,
                "scores": dict(one.scores),
                "sha256": one.sha256,
                "card": str(one.card),
            }
        )
    return [
        {
            "name": row.name,
            "summary": row.summary,
            "task": row.purpose,
            "frames": row.frames if isinstance(row.frames, int) else row.frames_text,
            "params": row.params,
            "gmacs": row.gmacs,
            "weights": weights[row.name],
            "paper": row.paper,
        }
        for row in MODELS.values()
    ]
