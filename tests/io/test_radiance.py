"""Radiance: precision of shared exponents, the three codings of lines, orientations and header facts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from openhdr.core.errors import FileError
from openhdr.core.image import Image
from openhdr.io import probe, read, write
from openhdr.io.rgbe import decode_pixels, decode_rgbe, encode_pixels, encode_rgbe

HEADER = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n%s\n%s\n"


def file(path, size: bytes, pixels: bytes, facts: bytes = b""):
    path.write_bytes(HEADER % (facts, size) + pixels)
    return path


@settings(deadline=None, max_examples=80)
@given(arrays.arrays(np.float32, (3, 4, 3), elements=st.floats(0, 2.0**100, width=32)))
def test_rounding_is_within_half_a_step_of_the_largest_channel(light):
    back = decode_rgbe(encode_rgbe(light))
    peak = light.max(axis=2, keepdims=True).astype(np.float64)
    half_step = np.maximum(peak / 255, 2.0**-126)  # a mantissa step is 1/128 to 1/256 of the largest channel
    assert (np.abs(back - light.astype(np.float64)) <= half_step).all()


@settings(deadline=None, max_examples=80)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 300), st.just(4)),
                     elements=st.sampled_from([0, 1, 2, 7, 128, 255])))  # fmt: skip
def test_run_length_coding_is_lossless(rgbe):
    if not rgbe.shape[1] >= 8:
        rgbe = np.where((rgbe[..., :3] == 1).all(axis=2, keepdims=True), 9, rgbe).astype(np.uint8)  # no marks
    np.testing.assert_array_equal(decode_pixels(encode_pixels(rgbe), *rgbe.shape[:2]), decode_rgbe(rgbe))


def test_cv2_reads_what_we_write_and_the_other_way(tmp_path, rng):
    light = (rng.random((40, 60, 3)) ** 8 * 1000).astype(np.float32)
    light[10:20] = 3.5  # long runs
    write(tmp_path / "a.hdr", Image(light))
    ours, theirs = read(tmp_path / "a.hdr").pixels, cv2.imread(str(tmp_path / "a.hdr"), -1)[..., ::-1]
    np.testing.assert_array_equal(ours, theirs)
    assert np.abs(ours - light).max() <= light.max() / 256
    cv2.imwrite(str(tmp_path / "b.hdr"), light[..., ::-1])
    np.testing.assert_array_equal(
        read(tmp_path / "b.hdr").pixels, cv2.imread(str(tmp_path / "b.hdr"), -1)[..., ::-1]
    )


def test_flat_and_old_run_length_lines(tmp_path):
    first, second = bytes((100, 50, 25, 129)), bytes((10, 20, 30, 128))
    flat = file(tmp_path / "flat.hdr", b"-Y 2 +X 3", (first * 3) + (second * 3))
    expected = np.repeat([[100, 50, 25]], 3, axis=0) * 2.0**-7
    np.testing.assert_allclose(read(flat).pixels[0], expected)
    old = file(tmp_path / "old.hdr", b"-Y 2 +X 300", first + bytes((1, 1, 1, 43, 1, 1, 1, 1)) + second * 300)
    image = read(old)
    np.testing.assert_allclose(image.pixels[0], np.repeat(expected[:1], 300, axis=0))
    np.testing.assert_allclose(image.pixels[1, 299], np.array([10, 20, 30]) * 2.0**-8)


@pytest.mark.parametrize("end", [b"", bytes((1, 1, 1, 44, 1, 1, 1, 1)), bytes((1, 1, 1, 5))])
def test_damaged_runs_are_refused(tmp_path, end):
    path = file(tmp_path / "a.hdr", b"-Y 1 +X 300", bytes((100, 50, 25, 129)) + end)
    with pytest.raises(FileError):
        read(path)


@pytest.mark.parametrize(
    ("size", "turn"),
    [
        (b"-Y 3 +X 2", lambda a: a),
        (b"+Y 3 +X 2", lambda a: a[::-1]),
        (b"-Y 3 -X 2", lambda a: a[:, ::-1]),
        (b"+Y 3 -X 2", lambda a: a[::-1, ::-1]),
        (b"+X 2 -Y 3", lambda a: a.transpose(1, 0, 2)),
        (b"-X 2 -Y 3", lambda a: a[:, ::-1].transpose(1, 0, 2)),
        (b"+X 2 +Y 3", lambda a: a[::-1].transpose(1, 0, 2)),
        (b"-X 2 +Y 3", lambda a: a[::-1, ::-1].transpose(1, 0, 2)),
    ],
)
def test_all_eight_orientations(tmp_path, size, turn):
    """`turn` makes the stored lines from the upright picture, straight from the meaning of the size line."""
    upright = np.arange(10, 10 + 3 * 2 * 4, dtype=np.uint8).reshape(3, 2, 4)
    upright[..., 3] = 136
    path = file(tmp_path / "a.hdr", size, np.ascontiguousarray(turn(upright)).tobytes())
    np.testing.assert_array_equal(read(path).pixels, upright[..., :3])
    assert (probe(path).width, probe(path).height) == (2, 3)


def test_exposure_lines_are_undone_and_said(tmp_path):
    path = file(tmp_path / "a.hdr", b"-Y 1 +X 1", bytes((128, 128, 128, 129)), b"EXPOSURE=2\nEXPOSURE= 4.0\n")
    image = read(path)
    np.testing.assert_allclose(image.pixels, 1.0 / 8)
    assert "EXPOSURE=8" in image.notes[0]


def test_header_primaries(tmp_path):
    zero = file(tmp_path / "a.hdr", b"-Y 1 +X 1", bytes((128, 64, 32, 129)), b"PRIMARIES=0 0 0 0 0 0 0 0\n")
    np.testing.assert_allclose(read(zero).pixels[0, 0], [1, 0.5, 0.25])
    wide = b"PRIMARIES=0.708 0.292 0.170 0.797 0.131 0.046 0.3127 0.3290\n"
    image = read(file(tmp_path / "b.hdr", b"-Y 1 +X 1", bytes((128, 64, 64, 129)), wide))
    # ITU-R BT.2087 inverse: the Rec.2020 to Rec.709 matrix of BT.2407, first row
    assert image.pixels[0, 0, 0] == pytest.approx(1.6605 - 0.5 * (0.5876 + 0.0728), abs=2e-3)


def test_xyze_and_nonsense_headers_are_refused(tmp_path):
    path = tmp_path / "a.hdr"
    path.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_xyze\n\n-Y 1 +X 1\n" + bytes(4))
    with pytest.raises(FileError, match="xyze"):
        read(path)
    for text in (
        b"#?RADIANCE\n\n-Y 1 +Y 1\n" + bytes(4),
        b"#?RADIANCE\n",
        b"#?RADIANCE\nEXPOSURE=x\n\n-Y 1 +X 1\n",
    ):
        path.write_bytes(text)
        with pytest.raises(FileError):
            read(path)
