"""`openhdr figure`: the crops are those asked for, labels and files are there, maps are what the network computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image as Pillow

from openhdr import io
from openhdr.cli.figure import figure
from openhdr.core.errors import OpenHDRError
from openhdr.core.image import Image

torch = pytest.importorskip("torch", reason="networks need the torch extra")


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    """A bracket whose middle photo is red in the crop (16, 8, 24, 20) and grey elsewhere."""
    folder = tmp_path / "kitchen"
    folder.mkdir()
    light = np.full((48, 72, 3), 0.2, np.float32)
    light[8:28, 16:40] = (0.6, 0.05, 0.05)
    for k, stops in enumerate((-2, 0, 2)):
        codes = np.rint(255 * np.clip(light * 2.0**stops, 0, 1) ** (1 / 2.2)).astype(np.uint8)
        io.write(folder / f"{k}.png", Image(codes, "srgb"))
    (folder / "ev.txt").write_text("-2 0 2")
    io.write(folder / "gt.exr", Image(light), io.WriteOptions(exr_half=False))
    return folder


def run(*words: str | Path) -> str:
    done = CliRunner().invoke(figure, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_strip_of_crops(kitchen: Path, tmp_path: Path) -> None:
    crops = ("--crop", "16,8,24,20", "--crop", "44,28,24,20")
    run(kitchen, "mle", "gsanet", *crops, "-o", tmp_path / "strip.png")
    strip = np.asarray(Pillow.open(tmp_path / "strip.png").convert("RGB")).astype(int)
    red = (strip[..., 0] - strip[..., 1] > 60) & (strip[..., 0] - strip[..., 2] > 60)
    zoom, gap = 10, 6
    width = 24 * zoom + gap
    first = strip.shape[1] - (6 * width + gap)  # six columns: three photos, two methods, the truth
    for column in range(6):
        left = first + gap + column * width
        upper = red[gap + 20 : gap + 180, left + 20 : left + 220]
        lower = red[2 * gap + 220 : 2 * gap + 380, left + 20 : left + 220]
        assert upper.mean() > 0.95 and lower.mean() < 0.05
    assert strip.shape[0] == 2 * (20 * zoom + gap) + gap + 20


def test_whole_pictures_as_pdf_and_maps(kitchen: Path, tmp_path: Path) -> None:
    said = run(kitchen, "gsanet", "two-stage", "-o", tmp_path / "whole.pdf", "--maps", tmp_path / "maps")
    assert (tmp_path / "whole.pdf").read_bytes().startswith(b"%PDF")
    names = {path.stem for path in (tmp_path / "maps" / "gsanet").iterdir()}
    assert {
        "aligned-short",
        "aligned-long",
        "attention_short-1",
        "attention_long-2",
        "denoise",
        "out",
    } <= names
    assert (tmp_path / "maps" / "two-stage" / "stage1.png").is_file()
    assert f"{len(list((tmp_path / 'maps').rglob('*.png')))} maps" in said
    # the short frame at the medium one's exposure: light of 0.2 as a code of gamma 2.24
    aligned = io.read(tmp_path / "maps" / "gsanet" / "aligned-short.png").pixels
    assert aligned[40, 60] == pytest.approx(255 * 0.2 ** (1 / 2.24), abs=6)


def test_refusals_come_before_the_work(kitchen: Path, tmp_path: Path) -> None:
    out = tmp_path / "strip.png"
    for words, said in (
        ([kitchen, "mle", "--crop", "1,2,3"], "expected x,y,w,h"),
        ([kitchen, "mle", "--crop", "60,0,24,20"], "leaves the image, 72x48"),
        ([kitchen, "mle", "--crop", "0,0,8,8", "--crop", "0,0,9,9"], "have one size"),
        ([kitchen, "mlee"], "did you mean 'mle'"),
        ([tmp_path / "none", "mle"], "does not exist"),
        (["kitchen/a", "mle", "--data", tmp_path], "a scene is CASE/NAME"),
    ):
        done = CliRunner().invoke(figure, [*(str(word) for word in words), "-o", str(out)])
        assert isinstance(done.exception, OpenHDRError) and said in str(done.exception)
    done = CliRunner().invoke(figure, [str(kitchen), "mle", "-o", str(tmp_path / "strip.gif")])
    assert ".png, .pdf, .jpg" in str(done.exception) and not out.exists()
