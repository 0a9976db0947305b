"""No recipe may train on what is held out."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from openhdr.data.splits import HELD_OUT, held_out_in

RECIPES = sorted((Path(__file__).resolve().parents[2] / "recipes").glob("*.toml"))
JUDGING = ("valid", "test", "bench")  # keys that name what is only looked at


def _training_strings(item: Any) -> list[str]:
    if isinstance(item, str):
        return [item]
    if isinstance(item, list):
        return [text for part in item for text in _training_strings(part)]
    if isinstance(item, dict):
        kept = {key: part for key, part in item.items() if not any(word in key.lower() for word in JUDGING)}
        return [text for part in kept.values() for text in _training_strings(part)]
    return []


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_recipe_trains_on_no_held_out_scene(recipe: Path) -> None:
    strings = _training_strings(tomllib.loads(recipe.read_text()))
    assert held_out_in(strings) == {}
    assert not set(strings) & set(HELD_OUT)


def test_the_check_itself_finds_offenders() -> None:
    assert held_out_in(_training_strings(tomllib.loads('[data]\nscenes = ["a/lab.hdr", "venice"]'))) == {
        "lab": "validation"
    }
    assert "lab" not in _training_strings(tomllib.loads('[data]\nvalidation_scenes = ["lab"]'))
