"""OpenEXR: compressions, precision, layers, windows, chromaticities and luminance-chroma pictures."""

from __future__ import annotations

import tarfile
from types import SimpleNamespace

import numpy as np
import OpenEXR
import pytest

from openhdr.color.luminance import REC709_LUMINANCE
from openhdr.color.primaries import REC709
from openhdr.core.errors import FileError
from openhdr.core.image import Image
from openhdr.io import WriteOptions, read, write
from openhdr.io.exr import COMPRESSIONS, Chosen, _rgb, _upsampled

SCAN = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}


@pytest.fixture
def pixels(rng) -> np.ndarray:
    return (rng.random((20, 30, 3)) * 9).astype(np.float32)


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("half", [True, False])
def test_every_compression(tmp_path, pixels, compression, half):
    write(tmp_path / "a.exr", Image(pixels), WriteOptions(exr_half=half, exr_compression=compression))
    stored = OpenEXR.File(str(tmp_path / "a.exr")).channels()["RGB"].pixels
    assert stored.dtype == (np.float16 if half else np.float32)
    lossy = {"dwaa": 0.3, "dwab": 0.3, "pxr24": 1e-3}.get(compression, 0)
    tolerance = max(lossy, 5e-4 * 9 if half else 0)
    np.testing.assert_allclose(read(tmp_path / "a.exr").pixels, pixels, atol=tolerance)


@pytest.mark.parametrize("name", ["B44", "B44A", "HTJ2K32", "HTJ2K256", "RLE", "PXR24"])
def test_compressions_of_other_programs(tmp_path, pixels, name):
    smooth = np.cumsum(pixels, axis=1)[..., :3].astype(np.float16)
    header = SCAN | {"compression": getattr(OpenEXR, f"{name}_COMPRESSION")}
    OpenEXR.File(header, {"RGB": smooth}).write(str(tmp_path / "a.exr"))
    expected = OpenEXR.File(str(tmp_path / "a.exr")).channels()["RGB"].pixels
    np.testing.assert_array_equal(read(tmp_path / "a.exr").pixels, expected.astype(np.float32))


def test_values_beyond_half_are_stored_as_float_and_said(tmp_path, pixels):
    pixels[3, 4, 1] = 1e6
    (note,) = write(tmp_path / "a.exr", Image(pixels))
    assert "32-bit" in note
    assert read(tmp_path / "a.exr").pixels[3, 4, 1] == 1e6
    pixels[3, 4, 1] = 65504
    assert write(tmp_path / "a.exr", Image(pixels)) == ()


def test_layers_alpha_and_stereo(tmp_path, pixels):
    red, green, blue = (np.ascontiguousarray(pixels[..., index]) for index in range(3))
    file = str(tmp_path / "a.exr")
    left = {"left.R": red, "left.G": green, "left.B": blue, "right.R": blue, "right.G": red, "right.B": green}
    OpenEXR.File(dict(SCAN), left).write(file)
    image = read(file)
    np.testing.assert_array_equal(image.pixels, pixels)
    assert "Layer 'left'" in image.notes[0] and "3 other" in image.notes[1]
    main = {"R": red, "G": green, "B": blue, "A": red, "Z": green, "specular.R": blue}
    OpenEXR.File(dict(SCAN), main).write(file)
    image = read(file)
    np.testing.assert_array_equal(image.pixels, pixels)
    assert any("Alpha" in note for note in image.notes)
    OpenEXR.File(dict(SCAN), {"Y": red}).write(file)
    np.testing.assert_array_equal(read(file).pixels, np.dstack([red] * 3))
    OpenEXR.File(dict(SCAN), {"Z": red}).write(file)
    with pytest.raises(FileError, match="no colour channels"):
        read(file)


def test_the_display_window_is_read(tmp_path, pixels):
    header = SCAN | {
        "dataWindow": (np.array([-2, 3], np.int32), np.array([27, 22], np.int32)),
        "displayWindow": (np.array([0, 0], np.int32), np.array([39, 19], np.int32)),
    }
    OpenEXR.File(header, {"RGB": pixels}).write(str(tmp_path / "a.exr"))
    image = read(tmp_path / "a.exr")
    expected = np.zeros((20, 40, 3), np.float32)
    expected[3:20, 0:28] = pixels[:17, 2:]
    np.testing.assert_array_equal(image.pixels, expected)
    assert any("display window" in note for note in image.notes)


def test_other_primaries_become_rec709(tmp_path, pixels):
    aces = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)
    OpenEXR.File(SCAN | {"chromaticities": aces}, {"RGB": np.ones((4, 4, 3), np.float32)}).write(
        str(tmp_path / "white.exr")
    )
    image = read(tmp_path / "white.exr")
    np.testing.assert_allclose(image.pixels, 1.0, atol=2e-4)  # white stays white
    assert any("Rec.709" in note for note in image.notes)
    # ACES2065-1 to linear Rec.709, Bradford: the matrix of the ACES documentation (acescolorspace.com)
    matrix = [[2.52169, -1.13413, -0.38756], [-0.27648, 1.37272, -0.09624], [-0.01538, -0.15298, 1.16835]]
    grey = np.full((4, 4, 3), 1.0, np.float32) + np.array([0.2, 0.1, 0.0], np.float32)
    OpenEXR.File(SCAN | {"chromaticities": aces}, {"RGB": grey}).write(str(tmp_path / "tint.exr"))
    np.testing.assert_allclose(read(tmp_path / "tint.exr").pixels, grey @ np.array(matrix).T, atol=2e-3)


def luminance_chroma(luma: np.ndarray, red: np.ndarray, blue: np.ndarray) -> Chosen:
    """What the decoder gives; its package cannot write such files."""
    planes = {"Y": luma, "RY": red, "BY": blue}
    channels = {name: SimpleNamespace(pixels=plane.astype(np.float16)) for name, plane in planes.items()}
    part = SimpleNamespace(channels=channels, header={})
    return Chosen(0, part, tuple(planes), tuple(planes), others=0, alpha=False)


def test_luminance_chroma_follows_the_definition():
    """Constant colour: nothing is lost by the halved chroma, so R, G, B come back."""
    rgb, weights = np.array([0.8, 0.5, 0.2]), np.array([0.2126, 0.7152, 0.0722])
    luma = rgb @ weights
    chroma = [np.full((6, 7), (rgb[channel] - luma) / luma) for channel in (0, 2)]
    pixels = _rgb(luminance_chroma(np.full((11, 13), luma), *chroma), REC709)
    assert pixels.shape == (11, 13, 3)
    np.testing.assert_allclose(pixels, np.broadcast_to(rgb, (11, 13, 3)), atol=1e-3)


def test_chroma_between_samples_follows_a_straight_ramp():
    ramp = np.broadcast_to(np.arange(10, dtype=np.float32) * 2, (8, 10))
    full = _upsampled(ramp, (16, 20))
    np.testing.assert_allclose(full[:, 2:16], np.broadcast_to(np.arange(2, 16), (16, 14)), atol=1e-5)


def test_a_real_luminance_chroma_file(shared, tmp_path):
    """Its luminance is the stored Y where no channel was clipped."""
    path = unpacked(shared, tmp_path, "mttamnorth.exr")
    stored = OpenEXR.File(str(path), separate_channels=True).channels()["Y"].pixels.astype(np.float32)
    image = read(path)
    inside = (image.pixels > 0).all(axis=2)
    assert inside.mean() > 0.95
    np.testing.assert_allclose((image.pixels @ REC709_LUMINANCE)[inside], stored[inside], rtol=2e-4)


def unpacked(shared, folder, name):
    for archive in sorted((shared / "data").glob("*test*.tar*")):
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.name.endswith(name):
                    tar.extract(member, folder, filter="data")
                    return folder / member.name
    pytest.skip(f"{name} is not in the shared data")
