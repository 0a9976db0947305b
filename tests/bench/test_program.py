"""Programs outside of openhdr: what they are given, and what they may not do."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest

from openhdr.bench.measure import measure
from openhdr.bench.methods.reconstruct import reconstruct
from openhdr.bench.methods.settings import parse_program
from openhdr.core.errors import RequestError

AVERAGE = """
import sys
import numpy as np
from openhdr import io
from openhdr.camera.exposure import relative_ev
from openhdr.camera.response import parse
from openhdr.core.image import Image
*paths, ev, times, output = sys.argv[1:]
stops = [float(one) for one in ev.split(",")]
assert np.allclose(np.exp2(stops), [float(one) for one in times.split(",")])
photos = [io.read(path) for path in paths]
metadata = [relative_ev(photo.exposure) for photo in photos]
assert np.allclose(np.diff(metadata), np.diff(stops), atol=0.02), metadata
light = np.mean([parse("srgb").decode(p) / 2**s for p, s in zip(photos, stops)], axis=0)
io.write(output, Image(np.float32(7 * light)))
"""


@pytest.fixture
def script(tmp_path):
    """A program that merges, in a folder with a blank in its name."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    path = folder / "merge.py"
    path.write_text(AVERAGE)
    return path


def test_a_program_merges_and_its_scale_is_the_reference_s(scene, script):
    text = f"mine='{sys.executable}' '{script}' {{inputs:.tif}} {{ev}} {{times}} {{output:.hdr}}"
    made = reconstruct(parse_program(text), scene.given)
    assert made.encoding == "linear" and made.pixels.shape == scene.truth.shape
    dark = scene.truth.max(axis=2) < 0.2  # no photo clips
    ratio = made.pixels[dark] / scene.truth[dark]
    assert np.median(ratio) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys; sys.exit('no licence')", "exit code 1: no licence"),
        ("pass", "wrote no"),
        (
            "import sys, numpy as np; from openhdr import io; from openhdr.core.image import Image;"
            "io.write(sys.argv[-1], Image(np.ones((5, 4, 3), np.float32)))",
            "wrote 4x5 pixels; expected 64x48",
        ),
    ],
)
def test_programs_that_fail_are_told_apart(scene, tmp_path, code, said):
    path = tmp_path / "fails.py"
    path.write_text(code)
    with pytest.raises(RequestError, match=said):
        reconstruct(parse_program(f"x={sys.executable} {path} {{inputs}} {{output}}"), scene.given)


def test_the_time_of_a_program_counts(scene, tmp_path):
    path = tmp_path / "busy.py"
    path.write_text("import time\nwhile time.process_time() < 0.5: pass")
    busy = parse_program(f"x={sys.executable} {path} {{inputs}} {{output}}")

    def call() -> None:
        with pytest.raises(RequestError, match="wrote no"):
            reconstruct(busy, scene.given)

    assert measure(call).cpu_s >= 0.45  # the system counts a little less than the program does


def test_a_program_that_is_not_there(scene):
    with pytest.raises(RequestError, match="'no-such-program' cannot be run"):
        reconstruct(parse_program("x=no-such-program {inputs} {output}"), scene.given)


@pytest.mark.skipif(shutil.which("enfuse") is None, reason="needs enfuse: apt-get install enfuse")
def test_enfuse(scene):
    made = reconstruct(parse_program("enfuse=enfuse -o {output:.tif} {inputs:.tif}"), scene.given)
    assert made.encoding == "srgb" and made.pixels.shape == scene.truth.shape
