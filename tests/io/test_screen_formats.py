"""PQ, HLG and gain maps in AVIF, HEIC, PNG and JPEG XL, and colour profiles: against other programs' numbers."""

from __future__ import annotations

import inspect
import shutil
import struct
import subprocess
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from openhdr.color.primaries import ADOBE_RGB, P3_D65, PROPHOTO, REC2020, conversion, name_of
from openhdr.color.transfer import srgb_decode
from openhdr.core.errors import FileError
from openhdr.core.image import REC709, Exposure, Image
from openhdr.io import WriteOptions, probe, read, write
from openhdr.io.containers.boxes import NewItem, pictures, together
from openhdr.io.gainmap import GainFacts, from_apple, to_iso
from openhdr.io.metadata.cicp import Coding, decode, decode_signal, encode, light_levels
from openhdr.io.metadata.profiles import Profile, _through_tables, display_profile

TAGS_JXL = "transfer" in inspect.signature(imagecodecs.jpegxl_encode).parameters
SCREENS = [
    ".avif",
    ".png",
    ".heic",
    pytest.param(".jxl", marks=pytest.mark.skipif(not TAGS_JXL, reason="Python 3.12")),
]


@pytest.fixture(scope="module")
def light(room) -> np.ndarray:
    return np.minimum(room(96, 128) * 3, 14)


def installed(suffix: str) -> None:
    if suffix == ".heic":
        pytest.importorskip("pillow_heif", reason="needs the extra heif")


def test_pq_and_hlg_at_known_levels() -> None:
    white = np.full((1, 1, 3), 1.0, np.float32)  # ITU-R BT.2408-7, table 1: 58 % PQ, 75 % HLG
    assert encode(white, Coding(9, 16), 0)[0, 0, 0] == pytest.approx(0.58, abs=0.001)
    assert encode(white, Coding(9, 18), 0)[0, 0, 0] == pytest.approx(0.75, abs=0.002)
    peak = np.full((1, 1, 3), 10000 / 203, np.float32)
    assert encode(peak, Coding(9, 16), 10)[0, 0, 0] == 1023


@pytest.mark.parametrize("transfer", [16, 18])
def test_curves_are_undone(rng, transfer) -> None:
    light = (rng.random((20, 30, 1)) ** 3 * (3 + rng.random((20, 30, 3)))).astype(np.float32)
    coding = Coding(9, transfer)
    back = decode((encode(light, coding, 16)), coding)
    assert (np.abs(back - light) < 0.001 * light + 0.0005).all()


@pytest.mark.parametrize("suffix", SCREENS)
def test_light_comes_back_from_pq(light, tmp_path, suffix) -> None:
    installed(suffix)
    path = tmp_path / f"a{suffix}"
    image = Image(light, "linear", Exposure(0.01, 200, 8.0), {"make": "Maker", "latitude": 50.25})
    write(path, image, WriteOptions(avif_quality=98, jxl_quality=99))
    back, facts = read(path), probe(path)
    assert np.median(np.abs(back.pixels / light - 1)) < 0.03
    assert abs(np.mean(back.pixels / light) - 1) < 0.01
    assert facts.primaries == REC2020 and facts.encoding == "linear"
    assert back.exposure == image.exposure and back.metadata["latitude"] == 50.25
    assert back.metadata["white_luminance"] == 203


@pytest.mark.parametrize("suffix", SCREENS)
@pytest.mark.parametrize("transfer", ["pq", "hlg"])
def test_colours_of_p3_survive(tmp_path, suffix, transfer) -> None:
    installed(suffix)
    green = Image(np.full((32, 32, 3), (0.2, 3.0, 0.2), np.float32), "linear", primaries=P3_D65)
    path = tmp_path / f"a{suffix}"
    write(path, green, WriteOptions(primaries=P3_D65, transfer=transfer))
    stored = read(path, primaries=None)
    assert name_of(stored.primaries) == "p3"
    np.testing.assert_allclose(stored.pixels.mean(axis=(0, 1)), (0.2, 3.0, 0.2), rtol=0.03)
    assert "outside and were cut" in read(path).notes[-1]  # in Rec.709


def test_avif_is_what_libavif_decodes(light, tmp_path) -> None:
    path = tmp_path / "a.avif"
    write(path, Image(light, "linear"), WriteOptions(avif_bits=12))
    codes = imagecodecs.avif_decode(path.read_bytes())
    shown = decode((codes.astype(np.uint32) * 65535 // 4095).astype(np.uint16), Coding(9, 16))
    expected = np.maximum(shown @ conversion(REC2020, REC709).T, 0)
    np.testing.assert_allclose(read(path).pixels, expected, rtol=2e-3, atol=2e-4)
    levels = pictures(path.read_bytes()).shown.property(b"clli")
    assert levels == struct.pack(">HH", *light_levels(light @ conversion(REC709, REC2020).T))


@pytest.mark.skipif(shutil.which("avifdec") is None, reason="needs avifdec: apt-get install libavif-bin")
@pytest.mark.parametrize("gain_map", [False, True])
def test_avifdec_reads_our_container(light, tmp_path, gain_map) -> None:
    path = tmp_path / "a.avif"
    write(path, Image(light, "linear", Exposure(0.01)), WriteOptions(gain_map=gain_map))
    said = subprocess.run(["avifdec", "--info", path], capture_output=True, text=True, check=True).stdout
    assert "128x96" in said and "Exif Metadata  : Present" in said
    assert ("Transfer Char. : 13" if gain_map else "Transfer Char. : 16") in said


def test_avif_with_a_gain_map(light, tmp_path) -> None:
    path = tmp_path / "a.avif"
    sdr = Image(np.rint(255 * np.minimum(light / 14, 1) ** 0.3).astype(np.uint8), "srgb")
    write(path, Image(light, "linear"), WriteOptions(gain_map=True, sdr=sdr))
    assert np.median(np.abs(read(path).pixels / light - 1)) < 0.02
    facts = probe(path).gain_map
    assert facts is not None and facts.alternate_headroom == pytest.approx(np.log2(light.max()), abs=1e-4)
    base = read(path, base=True).pixels
    np.testing.assert_array_equal(base, imagecodecs.avif_decode(path.read_bytes()))
    for brand in (b"tmap", b"altr"):  # without either, readers are to show the base
        other = tmp_path / "b.avif"
        data = path.read_bytes()
        at = data.index(b"ftyp") if brand == b"tmap" else 0
        other.write_bytes(data[:at] + data[at:].replace(brand, b"xxxx", 1))
        np.testing.assert_array_equal(read(other).pixels, base)


def heic(pixels: np.ndarray) -> NewItem:
    """One coded picture of a HEIC file that pillow-heif wrote."""
    import io

    pillow_heif = pytest.importorskip("pillow_heif", reason="needs the extra heif")
    file = io.BytesIO()
    height, width = pixels.shape[:2]
    pillow_heif.encode("RGB", (width, height), pixels.tobytes(), file, format="HEIF", quality=95, chroma=444)
    found = pictures(file.getvalue())
    properties = tuple((kind, data, kind == b"hvcC") for kind, data in found.shown.properties)
    return NewItem(b"hvc1", found.data(file.getvalue(), found.primary), properties)


@pytest.mark.parametrize("kind", ["iso", "apple"])
def test_heic_with_a_gain_map(tmp_path, kind) -> None:
    base, gain = heic(np.full((64, 96, 3), 128, np.uint8)), heic(np.full((32, 48, 3), 188, np.uint8))
    path = tmp_path / "a.heic"
    if kind == "iso":
        facts = GainFacts((0.0,) * 3, (2.0,) * 3, 0.0, 2.0)
        meaning = NewItem(b"tmap", b"\0" + to_iso(facts), base.properties[:1], {b"dimg": [1, 2]})
        path.write_bytes(together([base, gain, meaning], (b"heic", b"mif1", b"tmap"), [3, 1]))
        expected = (srgb_decode(128 / 255) + 1 / 1024) * 2 ** (2 * 188 / 255) - 1 / 1024
    else:
        mark = b"\0\0\0\0urn:com:apple:photo:2020:aux:hdrgainmap\0"
        gain = NewItem(
            b"hvc1", gain.data, (*gain.properties, (b"auxC", mark, True)), {b"auxl": [1]}, hidden=True
        )
        exif = NewItem(b"Exif", bytes(4) + apple_exif(1.0, 0.005), refers={b"cdsc": [1]}, hidden=True)
        path.write_bytes(together([base, gain, exif], (b"heic", b"mif1"), []))
        facts = from_apple(3.0 - 70 * 0.005)
        expected = srgb_decode(128 / 255) * (1 + (2**2.65 - 1) * srgb_decode(188 / 255))
    image = read(path)
    assert image.encoding == "linear" and probe(path).gain_map is not None
    assert image.pixels.mean() == pytest.approx(expected, rel=0.02)
    assert read(path, base=True).encoding == "srgb"


def apple_exif(first: float, second: float) -> bytes:
    """An EXIF block with numbers 33 and 48 in Apple's maker note."""
    values = struct.pack(">iiii", round(first * 1000), 1000, round(second * 1000), 1000)
    directory = struct.pack(">HHHIIHHIII", 2, 33, 10, 1, 44, 48, 10, 1, 52, 0)
    note = (b"Apple iOS\0\0\1MM" + directory).ljust(44, b"\0") + values
    main = struct.pack(">HHHIII", 1, 0x8769, 4, 1, 26, 0)
    detail = struct.pack(">HHHIII", 1, 0x927C, 7, len(note), 44, 0)
    return b"MM\0*\0\0\0\x08" + main + detail + note


def test_png_says_how_bright_it_is(light, tmp_path) -> None:
    path = tmp_path / "a.png"
    write(path, Image(light, "linear"))
    data = path.read_bytes()
    assert data[data.index(b"cICP") + 4 :][:4] == bytes((9, 16, 0, 1))
    most, mean = light_levels(light @ conversion(REC709, REC2020).T)
    assert struct.unpack_from(">II", data, data.index(b"cLLI") + 4) == (most * 10000, mean * 10000)
    assert struct.unpack_from(">8H2I", data, data.index(b"mDCV") + 4)[:2] == (35400, 14600)  # Rec.2020 red


def test_jpeg_xl_keeps_floats_exactly(light, tmp_path) -> None:
    path = tmp_path / "a.jxl"
    write(path, Image(light, "linear", Exposure(0.01)), WriteOptions(lossless=True))
    back = read(path)
    np.testing.assert_array_equal(back.pixels, light)
    assert back.exposure == Exposure(0.01) and probe(path).bits == 32


@pytest.mark.skipif(shutil.which("djxl") is None, reason="needs djxl: apt-get install libjxl-tools")
def test_djxl_reads_our_floats(light, tmp_path) -> None:
    write(tmp_path / "a.jxl", Image(light, "linear", Exposure(0.01)), WriteOptions(lossless=True))
    subprocess.run(["djxl", tmp_path / "a.jxl", tmp_path / "a.pfm"], check=True, capture_output=True)
    data = (tmp_path / "a.pfm").read_bytes()
    order = "<" if float(data.split(b"\n")[2]) < 0 else ">"
    theirs = np.frombuffer(data[-light.nbytes :], f"{order}f4").reshape(light.shape)[::-1]
    np.testing.assert_array_equal(theirs, light)


def test_profiles_that_we_write_are_understood(tmp_path) -> None:
    """Little CMS gives the same sRGB colours for code values in our Display P3 profile as our matrices do."""
    codes = np.array([[[200, 100, 50], [20, 200, 90], [128, 128, 128]]], np.uint8)
    profile = ImageCms.ImageCmsProfile(__import__("io").BytesIO(display_profile(P3_D65)))
    assert ImageCms.getProfileDescription(profile).strip() == "Display P3"
    theirs = ImageCms.profileToProfile(Pillow.fromarray(codes), profile, ImageCms.createProfile("sRGB"))
    Pillow.fromarray(codes).save(tmp_path / "a.png", icc_profile=display_profile(P3_D65))
    ours = read(tmp_path / "a.png").pixels / 257
    assert np.abs(ours - np.array(theirs)).max() < 1.6


@pytest.mark.parametrize(("primaries", "gamma"), [(ADOBE_RGB, 563 / 256), (PROPHOTO, 1.8), (P3_D65, None)])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif"])
def test_photos_keep_their_primaries_and_lose_their_curve(tmp_path, primaries, gamma, suffix) -> None:
    codes = np.full((16, 16, 3), (180, 120, 60), np.uint8)
    settings = (
        {"lossless": True} if suffix == ".webp" else {"quality": 100} if suffix in (".jpg", ".avif") else {}
    )
    path = tmp_path / f"a{suffix}"
    Pillow.fromarray(codes).save(path, icc_profile=display_profile(primaries, gamma), **settings)
    image = read(path, primaries=None)
    assert image.primaries == primaries == probe(path).primaries
    light = (codes[0, 0] / 255) ** gamma if gamma else srgb_decode(codes[0, 0] / 255)
    np.testing.assert_allclose(srgb_decode(image.pixels[8, 8] / image.full_scale), light, atol=0.02)
    converted = read(path)
    assert converted.primaries == REC709
    expected = np.maximum(light @ conversion(primaries, REC709).T.astype(float), 0)
    np.testing.assert_allclose(srgb_decode(converted.pixels[8, 8] / 65535), expected, atol=0.03)


def test_exr_states_its_primaries(tmp_path) -> None:
    import OpenEXR

    image = Image(np.full((8, 8, 3), (0.1, 1.0, 0.1), np.float32), "linear", primaries=P3_D65)
    write(tmp_path / "a.exr", image, WriteOptions(primaries=P3_D65, exr_half=False))
    with OpenEXR.File(str(tmp_path / "a.exr")) as file:
        np.testing.assert_allclose(file.header()["chromaticities"], P3_D65, atol=1e-6)
        np.testing.assert_allclose(file.channels()["RGB"].pixels, image.pixels)
    np.testing.assert_allclose(read(tmp_path / "a.exr", primaries=None).pixels, image.pixels)


def test_profiles_of_tables_go_through_little_cms() -> None:
    codes = np.full((4, 4, 3), (200, 100, 50), np.uint8)
    table = Profile("tables", REC2020, None, display_profile(P3_D65))
    image = _through_tables(Image(codes, "srgb"), table)
    assert image.primaries == REC2020 and "tables" in image.notes[0]
    expected = srgb_decode(codes[0, 0] / 255) @ conversion(P3_D65, REC2020).T
    np.testing.assert_allclose(srgb_decode(image.pixels[0, 0] / 65535), expected, atol=0.003)


@pytest.mark.parametrize("cut", [0, 100, 131, 200, 400])
def test_damaged_profiles_are_noted(tmp_path, cut) -> None:
    profile = display_profile(P3_D65)[:cut] + b"\xff" * 40
    Pillow.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.png", icc_profile=profile)
    assert "cannot be used" in read(tmp_path / "a.png").notes[0]


@pytest.mark.parametrize("suffix", [".avif", ".heic", ".jxl"])
def test_cut_directories_are_refused_in_one_line(light, tmp_path, suffix) -> None:
    installed(suffix)
    path = tmp_path / f"a{suffix}"
    write(path, Image(light, "linear", Exposure(0.01)), WriteOptions(gain_map=suffix == ".avif"))
    data = path.read_bytes()
    for end in (30, 60, 150, 300, len(data) // 2):
        path.write_bytes(data[:end])
        with pytest.raises(FileError) as refused:
            read(path)
        assert "\n" not in str(refused.value)


def test_colours_that_cannot_be_read_are_named() -> None:
    """ITU-T H.273, tables 2 and 3."""
    image = Image(np.zeros((2, 2, 3), np.uint8), "srgb")
    (note,) = decode_signal(image, Coding(5, 13), Path("a.png")).notes
    assert note == "The primaries are PAL; they were read as Rec.709."
    with pytest.raises(FileError, match=r"curve logarithmic and the primaries Rec\.2020"):
        decode_signal(image, Coding(9, 9), Path("a.png"))
    assert (Coding(11, 99).primaries_name, Coding(11, 99).curve_name) == ("DCI-P3", "number 99 of H.273")
