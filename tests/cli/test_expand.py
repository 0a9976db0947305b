"""`openhdr expand`: what it writes, what it admits, what it refuses."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest

from openhdr import io, models
from openhdr.color.transfer import srgb_decode
from openhdr.core.image import Image
from openhdr.core.table import Table
from openhdr.expansion import INVERSE_TONE_MAPPERS


@pytest.fixture(scope="module")
def itm(tmp_path_factory):
    """Untrained weights of stack-itm whose exposures lie around a mid grey."""
    torch = pytest.importorskip("torch", reason="needs the torch extra")
    from openhdr.models import checkpoints

    torch.manual_seed(3)
    net = models.load("stack-itm")
    with torch.no_grad():
        for decoder, level in ((net.decode_up, 0.7), (net.decode_down, 0.3)):
            decoder.images[0].bias.fill_(level)
    path = tmp_path_factory.mktemp("weights") / "itm.safetensors"
    checkpoints.save(net, "stack-itm", path)
    return path


@pytest.mark.parametrize("method", [None, *INVERSE_TONE_MAPPERS])
def test_every_method_writes_light(run, photos, tmp_path, method):
    options = ("--method", method) if method else ()
    ran = run("expand", photos / "2.png", "-o", tmp_path / "out.exr", "--json", *options)
    assert ran.code == 0
    light = io.read(tmp_path / "out.exr").pixels
    assert light.shape == (72, 96, 3) and light.dtype == np.float32 and light.min() >= 0
    facts = ran.json
    assert facts["method"] == method or (method is None and facts["method"] == "trustnet-single")
    assert facts["measured"] + facts["recovered"] + facts["invented"] == pytest.approx(1)
    assert facts["highest"] == pytest.approx(light.max(), rel=1e-3)


def test_measured_pixels_keep_their_light(run, photos, tmp_path):
    run("expand", photos / "1.png", "-o", tmp_path / "out.exr", "--float")
    codes = io.read(photos / "1.png").pixels
    dark = (codes < 240).all(axis=2)
    light = io.read(tmp_path / "out.exr").pixels
    np.testing.assert_allclose(light[dark], srgb_decode(codes[dark] / 255.0), atol=1e-5)


def test_map_and_preview(run, photos, tmp_path):
    out, preview, painted = (tmp_path / name for name in ("out.hdr", "preview.jpg", "map.png"))
    ran = run("expand", photos / "2.png", "-o", out, "--preview", preview, "--map", painted)
    assert ran.code == 0 and "invented" in ran.out
    codes = io.read(photos / "2.png").pixels
    picture = cv2.imread(str(painted))[..., ::-1].astype(int)
    grey = picture.max(axis=2) == picture.min(axis=2)
    assert not grey[(codes == 255).any(axis=2)].any()
    assert grey[(codes < 240).all(axis=2)].all()  # between them, pits amid clipped pixels are replaced, too
    assert cv2.imread(str(preview)).shape == (72, 96, 3)


def test_several_photos_go_to_a_folder(run, photos, tmp_path):
    files = [photos / "0.png", photos / "missing.png", photos / "2.png"]
    ran = run("expand", *files, "-o", f"{tmp_path}/new/", "--json")
    assert ran.code == 2 and "missing.png" in ran.err
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["0.exr", "2.exr"]
    assert len(ran.json) == 2


def test_predicted_stack(run, photos, tmp_path, itm):
    common = (
        "expand",
        photos / "1.png",
        "-o",
        tmp_path / "out.exr",
        "--method",
        "stack-itm",
        "--weights",
        itm,
    )
    ran = run(*common, "--save-stack", tmp_path / "stack", "--json")
    assert ran.code == 0
    names = sorted(path.name for path in (tmp_path / "stack").iterdir())
    assert names == ["down.png", "masks.png", "photo.png", "stack.json", "up.png"]
    facts = json.loads((tmp_path / "stack" / "stack.json").read_text())
    assert [frame["file"] for frame in facts["frames"]] == ["up.png", "photo.png", "down.png"]
    assert [frame["ev"] for frame in facts["frames"]] == [frame["ev"] for frame in ran.json["stack"]]
    again = io.read(tmp_path / "stack" / "photo.png").pixels / 65535
    np.testing.assert_allclose(again, io.read(photos / "1.png").pixels / 255, atol=1e-4)
    masks = cv2.imread(str(tmp_path / "stack" / "masks.png")).astype(int).sum(axis=2)
    assert np.abs(masks - 255).max() <= 2
    assert run(*common, "--merger", "debevec").code == 0


def test_a_network_without_weights_makes_no_random_image(refused, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(models, "WEIGHTS", Table("trained weights"))
    said = refused("expand", photos / "1.png", "-o", tmp_path / "out.exr", "--method", "two-stage")
    assert "no trained weights" in said


def test_refusals(refused, photos, tmp_path, itm):
    photo, out = photos / "1.png", tmp_path / "out.exr"
    assert "did you mean 'rempel'" in refused("expand", photo, "-o", out, "--method", "remple")
    hdr = tmp_path / "sun.exr"
    io.write(hdr, Image(np.full((4, 4, 3), 8.0, np.float32)))
    assert "sun.exr: is HDR already" in refused("expand", hdr, "-o", out)
    assert "predicts no exposures" in refused("expand", photo, "-o", out, "--save-stack", tmp_path / "stack")
    assert "takes none" in refused("expand", photo, "-o", out, "--weights", itm)
    assert "display" in refused(
        "expand", photo, "-o", out, "--method", "stack-itm", "--weights", itm, "--merger", "mertens"
    )
    assert "--map takes one photo" in refused(
        "expand", photo, photos / "2.png", "-o", tmp_path, "--map", tmp_path / "m.png"
    )
    assert "does not exist" in refused("expand", tmp_path / "none.jpg", "-o", out)
    assert "none.png" in refused("expand", photo, "-o", out, "--preview", tmp_path / "no" / "none.png")
    assert "--preview" in refused("expand", tmp_path / "none.jpg", "-o", tmp_path / "out.webp")


def test_a_photo_is_never_overwritten(refused, photos, tmp_path):
    copy = tmp_path / "photo.png"
    shutil.copy(photos / "1.png", copy)
    assert "is one of the inputs" in refused("expand", copy, "-o", tmp_path / "out.exr", "--preview", copy)


ODD = {
    "one-white.png": np.full((1, 1, 3), 255, np.uint8),
    "one-black.png": np.zeros((1, 1, 3), np.uint8),
    "white.jpg": np.full((40, 60, 3), 255, np.uint8),
    "black.jpg": np.zeros((40, 60, 3), np.uint8),
    "grey.png": np.minimum(np.arange(1200).reshape(30, 40), 255).astype(np.uint8),
    "grey16.png": np.minimum(np.arange(1200).reshape(30, 40) * 90, 65535).astype(np.uint16),
    "deep.png": np.minimum(np.arange(3600).reshape(30, 40, 3) * 30, 65535).astype(np.uint16),
    "alpha.png": np.minimum(np.arange(4800).reshape(30, 40, 4) // 8, 255).astype(np.uint8),
    "wide.png": np.minimum(np.arange(12000).reshape(2, 2000, 3) // 30, 255).astype(np.uint8),
    "tall.png": np.minimum(np.arange(12000).reshape(2000, 2, 3) // 30, 255).astype(np.uint8),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_photos(run, tmp_path, name):
    pixels = ODD[name]
    assert cv2.imwrite(str(tmp_path / name), pixels)
    out, painted, shown = (tmp_path / one for one in ("out.exr", "map.png", "shown.png"))
    ran = run("expand", tmp_path / name, "-o", out, "--map", painted, "--preview", shown, "--json", "--float")
    assert ran.code == 0, ran.err
    light = io.read(out).pixels
    assert light.shape == (*pixels.shape[:2], 3) and np.isfinite(light).all() and light.min() >= 0
    least, most = (
        (pixels >= share * np.iinfo(pixels.dtype).max)
        .reshape(*pixels.shape[:2], -1)[..., :3]
        .any(axis=2)
        .mean()
        for share in (1, 0.94)
    )
    assert least - 1e-6 <= 1 - ran.json["measured"] <= most + 1e-6
    assert light.max() > 1 if least else light.max() <= 1
    assert io.read(painted).pixels.shape == io.read(shown).pixels.shape == light.shape
