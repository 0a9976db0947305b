"""Small valid files of every format, made by encoders that are not openhdr's."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import OpenEXR
import pytest
import tifffile
from PIL import Image as Pillow

SIZE = (24, 40)


def scene() -> np.ndarray:
    """(24, 40, 3) uint8: smooth, all rows and columns different."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    return np.stack([x * 6, y * 10, (x + y) * 4], axis=2).astype(np.uint8)


def photo(kind: str, **settings) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(scene()).save(buffer, kind, **settings)
    return buffer.getvalue()


def dng(orientation: int = 1) -> bytes:
    """A minimal DNG: RGGB filter, a grey card at half of the white level."""
    sensor = np.full((64, 96), 512 + 8000, np.uint16)
    buffer = io.BytesIO()
    tags = [
        (274, 3, 1, orientation, True),
        (33421, 3, 2, (2, 2), True),
        (33422, 1, 4, bytes([0, 1, 1, 2]), True),
        (50706, 1, 4, bytes([1, 4, 0, 0]), True),
        (50708, 2, 0, "Test", True),
        (50714, 4, 1, 512, True),
        (50717, 4, 1, 16512, True),
        (50721, 10, 9, _rationals([0.6, -0.1, -0.05, -0.4, 1.2, 0.2, -0.1, 0.2, 0.6]), True),
        (50728, 5, 3, _rationals([1.0, 1.0, 1.0]), True),
        (50778, 3, 1, 21, True),
        (33434, 5, 1, (1, 50), True),
        (33437, 5, 1, (28, 10), True),
        (34855, 3, 1, 200, True),
        (271, 2, 0, "Maker", True),
        (272, 2, 0, "Model", True),
    ]
    tifffile.imwrite(buffer, sensor, photometric=32803, metadata=None, software=False, extratags=tags)
    return buffer.getvalue()


def _rationals(values: list[float]) -> tuple[int, ...]:
    return tuple(part for value in values for part in (round(value * 10000), 10000))


def ultra_hdr(light: np.ndarray) -> bytes:
    """A gain-map JPEG of libultrahdr; its least size is above ours."""
    large = np.kron(light, np.ones((4, 4, 1), np.float32))
    rgba = np.dstack([large, np.ones_like(large[..., 0])]).astype(np.float16)
    kinds = imagecodecs.ULTRAHDR
    return imagecodecs.ultrahdr_encode(rgba, 90, gamut=kinds.CG.BT_709, transfer=kinds.CT.LINEAR, nits=1000.0)


def heic(code: np.ndarray) -> bytes:
    import pillow_heif

    file = io.BytesIO()
    pillow_heif.encode("RGB", (code.shape[1], code.shape[0]), code.tobytes(), file, format="HEIF", chroma=444)
    return file.getvalue()


@pytest.fixture(scope="session")
def samples(tmp_path_factory) -> dict[str, Path]:
    """Name -> file. The name begins with the format's name in the table."""
    folder = tmp_path_factory.mktemp("samples")
    code, light = scene(), scene().astype(np.float32) / 64
    OpenEXR.File(
        {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage},
        {"RGB": light.astype(np.float16)},
    ).write(str(folder / "openexr-half.exr"))
    OpenEXR.File(
        {"compression": OpenEXR.PIZ_COMPRESSION, "type": OpenEXR.scanlineimage},
        {"RGBA": np.dstack([light, light])[..., :4]},
    ).write(str(folder / "openexr-float.exr"))
    cv2.imwrite(str(folder / "radiance-new.hdr"), light[..., ::-1])
    tifffile.imwrite(folder / "tiff-float.tif", light, photometric="rgb", compression="zlib", predictor=True)
    tifffile.imwrite(folder / "tiff-plain.tif", code, photometric="rgb", rowsperstrip=4)
    files = {
        "jpeg-plain.jpg": photo("JPEG", quality=92),
        "jpeg-progressive.jpg": photo("JPEG", quality=80, progressive=True),
        "png-8.png": photo("PNG"),
        "png-16.png": imagecodecs.png_encode(code.astype(np.uint16) * 257),
        "webp-lossy.webp": photo("WEBP"),
        "webp-lossless.webp": photo("WEBP", lossless=True),
        "avif-8.avif": photo("AVIF"),
        "avif-10.avif": imagecodecs.avif_encode(code.astype(np.uint16) * 4, level=100, bitspersample=10),
        "avif-pq.avif": imagecodecs.avif_encode(
            code.astype(np.uint16) * 2, bitspersample=10, primaries=9, transfer=16, matrix=9
        ),
        "jpeg-gain-map.jpg": ultra_hdr(light),
        "jxl-float.jxl": imagecodecs.jpegxl_encode(light, lossless=True),
        "jxl-8.jxl": imagecodecs.jpegxl_encode(code, distance=0.5),
        "raw-dng.dng": dng(),
    }
    if importlib.util.find_spec("pillow_heif"):
        files["heif-8.heic"] = heic(code)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return {path.stem: path for path in sorted(folder.iterdir())}
