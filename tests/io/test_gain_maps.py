"""Gain-map JPEGs: libultrahdr decodes what openhdr writes, and openhdr reads what libultrahdr and others write."""

from __future__ import annotations

import io
import json
import shutil
import struct
import subprocess

import imagecodecs
import numpy as np
import pytest
from PIL import Image as Pillow

from openhdr.color.transfer import srgb_decode, srgb_encode
from openhdr.core.errors import FileError
from openhdr.core.image import Exposure, Image
from openhdr.io import WriteOptions, probe, read, write
from openhdr.io.containers import jpeg_segments
from openhdr.io.gainmap import GainFacts, UnusableMap, apple_stops, from_iso, from_xmp, to_iso, to_xmp

FACTS = GainFacts(
    (-1.5, -1.0, 0.0), (4.0, 3.5, 3.0), 0.0, 3.75, (1.0, 1.25, 2.0), (0.0, 0.125, 0.5), (0.25, 0.0, 0.5)
)


@pytest.fixture(scope="module")
def light(room) -> np.ndarray:
    return np.minimum(room(96, 128) * 3, 14)


@pytest.fixture(scope="module")
def sdr(light) -> Image:
    """A picture of one's own: darker and paler than the light."""
    return Image(np.rint(255 * srgb_encode(light / (1 + light))).astype(np.uint8), "srgb")


@pytest.fixture
def file(light, sdr, tmp_path):
    path = tmp_path / "a.jpg"
    metadata = {"make": "Maker", "copyright": "Owner", "latitude": -33.5, "longitude": 151.25}
    write(path, Image(light, "linear", Exposure(0.01, 200, 8.0), metadata), WriteOptions(sdr=sdr))
    return path


def parts(path) -> tuple[bytes, bytes]:
    """The two JPEG pictures, told apart by the second start of image with a JFIF segment."""
    data = path.read_bytes()
    second = data.index(b"\xff\xd8\xff\xe0", 2)
    return data[:second], data[second:]


def pillow(path) -> np.ndarray:
    with Pillow.open(path) as picture:
        return np.array(picture)


@pytest.mark.parametrize("boost", [1, 2, 4, 8])
def test_libultrahdr_sees_the_light_up_to_its_headroom(file, light, boost) -> None:
    decoded = imagecodecs.ultrahdr_decode(file.read_bytes(), boost=boost)[..., :3].astype(np.float32)
    facts = read_facts(file)
    share = min(np.log2(boost) / facts.alternate_headroom, 1)
    base, codes = (np.array(Pillow.open(io.BytesIO(one))) for one in parts(file))
    stops = facts.low[0] + (facts.high[0] - facts.low[0]) * codes / 255
    expected = (srgb_decode(base / 255.0) + 1 / 1024) * 2 ** (share * stops) - 1 / 1024
    assert np.abs(decoded / np.maximum(expected, 0.01) - 1)[expected > 0.01].max() < 0.02


def read_facts(path) -> GainFacts:
    facts = probe(path).gain_map
    assert facts is not None
    return facts


def test_light_comes_back(file, light) -> None:
    image = read(file)
    assert image.encoding == "linear" and image.metadata["white_luminance"] == 203
    error = image.pixels / light - 1
    assert np.sqrt(np.mean(error**2)) < 0.04 and abs(error.mean()) < 0.005
    assert read_facts(file).alternate_headroom == pytest.approx(np.log2(light.max()), abs=1e-4)
    uhdr = imagecodecs.ultrahdr_decode(file.read_bytes(), boost=64)[..., :3].astype(np.float32)
    assert (np.abs(image.pixels - uhdr) < 0.003 + 0.02 * uhdr).all()


def test_the_sdr_picture_is_the_one_that_was_given(file, sdr) -> None:
    shown = pillow(file)
    assert np.abs(shown.astype(int) - sdr.pixels).mean() < 1
    np.testing.assert_array_equal(read(file, base=True).pixels, shown)
    uhdr = imagecodecs.ultrahdr_decode(
        file.read_bytes(), dtype=np.uint8, transfer=imagecodecs.ULTRAHDR.CT.SRGB
    )
    np.testing.assert_array_equal(uhdr[..., :3], shown)


def test_order_of_segments_and_multi_picture_index(file) -> None:
    data = file.read_bytes()
    kinds = []
    for marker, begin, _ in jpeg_segments.segments(data):
        kinds.append(data[begin : begin + 4] if marker in (0xE0, 0xE1, 0xE2) else marker)
    assert kinds[:6] == [b"JFIF", b"Exif", b"http", b"ICC_", b"urn:", b"MPF\0"]
    with Pillow.open(file) as picture:
        index = picture._getmp()
    assert index[0xB001] == 2 and index[0xB002][1]["Size"] == len(parts(file)[1])
    image = read(file)
    assert image.exposure == Exposure(0.01, 200, 8.0)
    assert image.metadata["copyright"] == "Owner" and image.metadata["latitude"] == -33.5


@pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="needs exiftool: apt-get install libimage-exiftool-perl"
)
def test_exiftool_finds_both_pictures(file) -> None:
    said = subprocess.run(["exiftool", "-j", "-a", "-G1", file], capture_output=True, check=True).stdout
    facts = json.loads(said)[0]
    assert facts["XMP-hdrgm:Version"] == 1.0 and facts["MPF0:NumberOfImages"] == 2
    first, second = parts(file)
    assert facts["MPImage2:MPImageStart"] == len(first)
    assert facts["MPImage2:MPImageLength"] == facts["XMP-Container:DirectoryItemLength"] == len(second)
    assert facts["ICC_Profile:ProfileDescription"] == "sRGB" and "Warning" not in str(facts)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_files_of_libultrahdr_are_read_as_it_reads_them(light, tmp_path, scale) -> None:
    rgba = np.dstack([light, np.ones_like(light[..., 0])]).astype(np.float16)
    colour = {"gamut": imagecodecs.ULTRAHDR.CG.BT_709, "transfer": imagecodecs.ULTRAHDR.CT.LINEAR}
    settings = {"scale": scale, "nits": float(203 * light.max()), **colour}
    path = tmp_path / "theirs.jpg"
    path.write_bytes(imagecodecs.ultrahdr_encode(rgba, 95, **settings))
    ours = read(path).pixels
    theirs = imagecodecs.ultrahdr_decode(path.read_bytes(), boost=64)[..., :3].astype(np.float32)
    error = np.abs(ours - theirs) / (theirs + 0.01)
    # a smaller map is not read to the pixel: libultrahdr weighs four samples by distance, browsers bilinearly
    assert np.median(error) < (0.01 if scale == 1 else 0.1) and (scale > 1 or np.percentile(error, 95) < 0.02)


def test_facts_in_either_form_alone_are_enough(file, tmp_path) -> None:
    whole = read(file).pixels
    iso, xmp = b"urn:iso:std:iso:ts:21496", b"http://ns.adobe.com/hdr-gain-map/"
    for name, mark in (("xmp", iso), ("iso", xmp)):
        path = tmp_path / f"{name}.jpg"
        path.write_bytes(file.read_bytes().replace(mark, b"x" * len(mark)))
        np.testing.assert_allclose(read(path).pixels, whole, rtol=1e-4)
    path.write_bytes(file.read_bytes().replace(iso, b"x" * len(iso)).replace(xmp, b"x" * len(xmp)))
    assert read(path).encoding == "srgb"


def test_the_second_picture_is_found_without_its_index(file, tmp_path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(file.read_bytes().replace(b"MPF\0", b"MPX\0"))
    np.testing.assert_array_equal(read(path).pixels, read(file).pixels)
    path.write_bytes(path.read_bytes().replace(b"Item:Length", b"Item:Lengxx"))
    np.testing.assert_array_equal(read(path).pixels, read(file).pixels)


def test_facts_survive_the_binary_form() -> None:
    back = from_iso(to_iso(FACTS))
    for name in ("low", "high", "gamma", "base_offset", "alternate_offset", "alternate_headroom"):
        np.testing.assert_allclose(getattr(back, name), getattr(FACTS, name), atol=1e-6)
    one = struct.pack(">HHBI", 0, 0, 0x48, 100) + struct.pack(">IIiiIii", 0, 400, -100, 350, 100, 1, 2)
    facts = from_iso(one)  # one channel, one denominator for all
    assert facts.low == (-1, -1, -1) and facts.high == (3.5, 3.5, 3.5) and facts.base_offset == (0.01,) * 3


def test_xmp_with_lists_in_elements_is_read() -> None:
    lists = "".join(
        f"<hdrgm:{name}><rdf:Seq>{''.join(f'<rdf:li>{value}</rdf:li>' for value in values)}</rdf:Seq></hdrgm:{name}>"
        for name, values in (("GainMapMin", FACTS.low), ("GainMapMax", FACTS.high), ("Gamma", FACTS.gamma))
    )
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" '
        f'hdrgm:HDRCapacityMax="3.75">{lists}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()
    facts = from_xmp(xmp)
    assert facts is not None
    assert (facts.low, facts.high, facts.gamma) == (FACTS.low, FACTS.high, FACTS.gamma)
    assert facts.base_offset == (1 / 64,) * 3  # the default of the specification


def test_apple_strength_follows_its_notes() -> None:
    assert apple_stops(0.5, 0.005) == pytest.approx(1.7)
    assert apple_stops(0.5, 0.5) == pytest.approx(1.5505)
    assert apple_stops(1.0, 0.005) == pytest.approx(2.65)
    assert apple_stops(1.0, 8.0) == 0 and apple_stops(None, 1.0) is None


def test_apple_map_brightens_by_its_share(file, light, tmp_path) -> None:
    headroom = 4.0
    base, _ = parts(file)
    grey = io.BytesIO()
    Pillow.fromarray(np.full((48, 64), 188, np.uint8)).save(grey, "JPEG", quality=100)
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:HDRGainMap="http://ns.apple.com/HDRGainMap/1.0/" HDRGainMap:HDRGainMapVersion="65536" '
        f'HDRGainMap:HDRGainMapHeadroom="{headroom}"/></rdf:RDF></x:xmpmeta>'
    ).encode()
    content = b"http://ns.adobe.com/xap/1.0/\0" + xmp
    segment = struct.pack(">BBH", 0xFF, 0xE1, len(content) + 2) + content
    plain = base.replace(b"urn:iso:std:iso:ts:21496", b"x" * 24).replace(
        b"http://ns.adobe.com/hdr-gain-map/", b"x" * 33
    )
    path = tmp_path / "apple.jpg"
    path.write_bytes(plain + jpeg_segments.with_segments(grey.getvalue(), segment))
    factor = 1 + (headroom - 1) * srgb_decode(188 / 255)
    expected = srgb_decode(read(file, base=True).pixels / 255.0) * factor
    np.testing.assert_allclose(read(path).pixels, expected, rtol=1e-4, atol=1e-6)


def test_a_later_version_shows_the_base(file, tmp_path) -> None:
    later = to_iso(FACTS).replace(b"\0\0\0\0\xc0", b"\0\1\0\1\xc0")
    with pytest.raises(UnusableMap):
        from_iso(later)
    path = tmp_path / "later.jpg"
    data = file.read_bytes().replace(b"http://ns.adobe.com/hdr-gain-map/", b"x" * 33)
    at = data.rindex(b"21496:-1\0") + 9
    path.write_bytes(data[:at] + b"\0\1\0\1" + data[at + 4 :])
    image = read(path)
    assert image.encoding == "srgb" and any("version 1" in note for note in image.notes)


BROKEN = {
    "gamma 0": lambda facts: facts[:37] + bytes(4) + facts[41:],
    "x/0": lambda facts: facts[:9] + bytes(4) + facts[13:],
    "end early": lambda facts: facts[:30] + b"\0" * 0,
    "lowest gain above": lambda facts: facts[:21] + b"\x7f" + facts[22:],
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_facts_are_refused_in_one_line(file, tmp_path, what) -> None:
    base, gain = parts(file)
    at = gain.index(b"21496:-1\0") + 9
    facts = to_iso(read_facts(file))
    assert gain[at : at + len(facts)] == facts
    broken = BROKEN[what](facts)
    begin = at - len(b"urn:iso:std:iso:ts:21496:-1\0") - 2
    gain = (
        gain[:begin]
        + struct.pack(">H", 30 + len(broken))
        + gain[begin + 2 : at]
        + broken
        + gain[at + len(facts) :]
    )
    path = tmp_path / "broken.jpg"
    path.write_bytes(base + gain)
    with pytest.raises(FileError, match=r"broken\.jpg") as refused:
        read(path)
    assert "\n" not in str(refused.value)
    assert read(path, base=True).encoding == "srgb"


def test_a_missing_map_leaves_the_photo(file, tmp_path) -> None:
    """Programs that know no gain maps keep the announcement when they drop the map."""
    path = tmp_path / "cut.jpg"
    path.write_bytes(parts(file)[0])
    image = read(path)
    assert image.encoding == "srgb" and any("missing" in note for note in image.notes)


def test_light_over_the_headroom_is_cut_and_counted(light, tmp_path) -> None:
    notes = write(tmp_path / "a.jpg", Image(light, "linear"), WriteOptions(headroom=1.0))
    assert "1 stops over white" in notes[0]
    assert read(tmp_path / "a.jpg").pixels.max() == pytest.approx(2, rel=0.1)
    assert to_xmp(read_facts(tmp_path / "a.jpg")).count(b'HDRCapacityMax="1"') == 1


def test_light_below_white_is_an_ordinary_photo(light, tmp_path) -> None:
    write(tmp_path / "a.jpg", Image(light / light.max(), "linear"))
    assert probe(tmp_path / "a.jpg").gain_map is None
    assert pillow(tmp_path / "a.jpg").shape == light.shape
