"""`openhdr models`: every network with its size and its weights."""

from __future__ import annotations

from typing import Any

import click

from openhdr.cli.common import echo_json, format_table


@click.command("models")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def models(as_json: bool) -> None:
    """List the networks: what they do, their size, and the trained weights that come with openhdr.

    GMACs are 1e9 multiply-adds at 1060x1900 by the rule of the NTIRE challenges.
    """
    facts = facts_of_models()
    if as_json:
        echo_json(facts)
        return
    click.echo(format_table([_printed(one) for one in facts]))
    for one in facts:
        click.echo(f"{one['name']}: {one['summary']} ({one['paper']})")


def facts_of_models() -> list[dict[str, Any]]:
    """One dict a network, in the order of the table."""
    from openhdr.models import MODELS, WEIGHTS

    weights = [
        {
            "name": row.name,
            "network": row.network,
            "licence": row.licence,
            "training_data": row.training_data,
            "scores": dict(row.scores),
        }
        for row in WEIGHTS.values()
    ]
    return [
        {
            "name": row.name,
            "summary": row.summary,
            "task": row.task,
            "frames": row.frames,
            "params": row.params,
            "gmacs": row.gmacs,
            "weights": [
                {key: value for key, value in one.items() if key != "network"}
                for one in weights
                if one["network"] == row.name
            ],
            "paper": row.paper,
        }
        for row in MODELS.values()
    ]


def _printed(one: dict[str, Any]) -> dict[str, str]:
    return {
        "network": one["name"],
        "task": one["task"],
        "frames": str(one["frames"]),
        "parameters": f"{one['params']:,}",
        "GMACs": f"{one['gmacs']:,.1f}",
        "weights": ", ".join(weight["name"] for weight in one["weights"]) or "none: train them",
    }
