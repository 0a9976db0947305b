"""Brackets through a network: which frames it gets, how it is run, what is refused before the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from openhdr.core.errors import RequestError
from openhdr.core.image import Image
from openhdr.models.inference.run_options import RunOptions
from openhdr.pipeline.bracket_to_hdr import MergeOptions, merge_bracket

torch = pytest.importorskip("torch", reason="networks need the torch extra")


@pytest.fixture
def weights(tmp_path: Path) -> str:
    """Weights of a GSANet that carries light through: random, with an output above zero."""
    from openhdr import models
    from openhdr.models import checkpoints

    torch.manual_seed(3)
    net = models.load("gsanet")
    with torch.no_grad():
        net.output[-1].bias += 0.5
    checkpoints.save(net, "gsanet", tmp_path / "w.safetensors")
    return str(tmp_path / "w.safetensors")


@pytest.fixture
def five(room: Callable, photo: Callable) -> list[Image]:
    light = room(48, 64)
    return [photo(light, ev) for ev in (-4, -2, 0, 2, 4)]


def options(weights: str, **run: object) -> MergeOptions:
    ev = [-4.0, -2.0, 0.0, 2.0, 4.0]
    return MergeOptions(ev, method="gsanet", align="none", weights=weights, run=RunOptions(**run))


def test_three_of_five_frames_are_used_and_named(five: list[Image], weights: str) -> None:
    result = merge_bracket(five, options(weights))
    assert result.used == (1, 2, 3)
    assert all(
        (consistency == 1).all() for consistency in result.consistency
    )  # what moves is the network's work
    assert result.image.pixels.shape == (48, 64, 3) and np.isfinite(result.image.pixels).all()
    without = five[1:4]
    three = MergeOptions(ev=[-2.0, 0.0, 2.0], method="gsanet", align="none", response="srgb", weights=weights)
    five_ways = replace(options(weights), response="srgb")
    np.testing.assert_array_equal(
        merge_bracket(five, five_ways).image.pixels, merge_bracket(without, three).image.pixels
    )


def test_precision_and_augmentation_reach_the_runner(five: list[Image], weights: str) -> None:
    plain = merge_bracket(five, options(weights)).image.pixels
    for run in ({"precision": "bfloat16"}, {"augment": True}):
        other = merge_bracket(five, options(weights, **run)).image.pixels
        assert 0 < np.abs(other - plain).max() < 0.1


@pytest.mark.parametrize(
    ("ev", "given", "said"),
    [
        ([0.0, 2.0], "", "has 2 frames, but this network needs three"),
        ([-2.0, 0.0, 2.0], None, "no trained weights for 'gsanet'"),
    ],
)
def test_refused_before_the_frames_are_aligned(
    five: list[Image], weights: str, monkeypatch: pytest.MonkeyPatch, ev: list[float], given, said: str
) -> None:
    from openhdr import models
    from openhdr.core.table import Table

    monkeypatch.setattr(models, "WEIGHTS", Table("trained weights"))
    monkeypatch.setattr(
        "openhdr.pipeline.bracket_to_hdr.ALIGNERS", {"none": SimpleNamespace(load=lambda: None)}
    )
    monkeypatch.setattr("openhdr.pipeline.bracket_to_hdr.DEFAULT_ALIGNER", "none")
    request = MergeOptions(ev=ev, method="gsanet", weights=given if given is None else weights)
    with pytest.raises(RequestError, match=said):
        merge_bracket(five[: len(ev)], request)


def test_command_says_which_frames_were_taken(tmp_path: Path, five: list[Image], weights: str) -> None:
    import subprocess
    import sys

    from openhdr import io

    for i, frame in enumerate(five):
        io.write(tmp_path / f"{i}.png", frame)
    words = ["merge", *(f"{i}.png" for i in range(5)), "--ev=-4,-2,0,2,4", "-o", "out.exr", "--align", "none"]
    words += ["--method", "gsanet", "--weights", weights, "--precision", "bfloat16", "--memory", "1"]
    code = "from openhdr.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "this network takes 3 frames; of 5 it was given 1.png, 2.png, 3.png" in done.stderr
    assert (tmp_path / "out.exr").is_file()


@pytest.mark.parametrize(
    ("ev", "noted"),
    [
        ((-2.0, 0.0, 2.0), ""),
        ((-2.94, 0.0, 3.06), ""),  # 1/100, 1/13, 0.65 s: three stops as cameras write them
        ((-4.0, 0.0, 3.0), "here they are 4.0 and 3.0 EV"),
        ((-0.3, 0.0, 0.3), "here they are 0.3 and 0.3 EV"),
    ],
)
def test_steps_that_weights_were_not_made_for_are_told(
    room: Callable, photo: Callable, ev: tuple[float, ...], noted: str
) -> None:
    frames = [photo(room(48, 64), one) for one in ev]
    notes = merge_bracket(frames, MergeOptions(ev, method="gsanet", align="none")).image.notes
    assert len(notes) == bool(noted) and noted in "".join(notes)
    if noted:
        assert "steps of 1 to 3 EV" in notes[0]
        assert merge_bracket(frames, MergeOptions(ev, method="mle", align="none")).image.notes == ()


def test_nothing_is_said_of_a_file_of_weights(five: list[Image], weights: str) -> None:
    ev = [-4.0, 0.0, 4.0]
    taken = five[::2]
    assert (
        merge_bracket(taken, MergeOptions(ev, method="gsanet", align="none", weights=weights)).image.notes
        == ()
    )
