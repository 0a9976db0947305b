"""Damaged files of every format, read in child processes with limits on memory and time.

    scripts/fuzz.py [--seconds N] [--seed N] [--count N] [--only NAME ...] [--keep FOLDER]

Samples: what openhdr writes in each format of its table, files of other encoders, and the text and weight files that
openhdr reads. Each is cut off, ended in zeros, flipped, spliced and lied in. What counts as found: a crash, an
exception that is no OpenHDRError, a message of several lines, a warning, more than 10 s of work or 1 GB, and a picture
that lost pixels without an error or a note. A file that shows one is kept in FOLDER. Exit status 1 when there are any.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import io
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from openhdr.core.errors import OpenHDRError
from openhdr.core.image import Exposure, Image

SECONDS_EACH, BYTES_EACH = 10.0, 1 << 30
MAX_ENDS = 20  # of children
ADDRESSES = 1 << 35  # bytes of address space of a child
HANG = 60  # seconds after which a child is killed
SIZE = (47, 61)
INCOMPLETE = ("cut", "zeros")  # kinds of damage after which pixels may be missing
LEAST_ZEROS = 64  # bytes at the end; fewer are common in whole files


# Samples: name -> bytes. A name begins with its target, and ends as the file must.


def scene() -> np.ndarray:
    """(47, 61, 3) float32 in 0..4: smooth with noise, so that every row and column differs."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    noise = np.random.default_rng(1).random((*SIZE, 3)) * 0.05
    return (np.stack([x / 61, y / 47, (x + y) / 108], axis=2) * 4 + noise).astype(np.float32)


def pictures(folder: Path) -> Iterator[tuple[str, bytes]]:
    """What openhdr writes, for every row of its table of formats."""
    from openhdr.io import FORMATS, write

    exposure, facts = (
        Exposure(0.01, 200, 2.8),
        {"make": "Maker", "model": "Model", "date": "2024:01:02 03:04:05"},
    )
    light = Image(scene(), "linear", exposure, facts)
    codes = Image((scene() * 60).astype(np.uint8), "srgb", exposure, facts)
    for row in FORMATS.values():
        for suffix in row.extensions if row.writable else ():
            for kind, image in (("light", light), ("codes", codes)):
                path = folder / f"{row.name}-{kind}{suffix}"
                try:
                    write(path, image)
                except OpenHDRError:  # an extra that is not installed
                    continue
                yield path.name, path.read_bytes()


def foreign() -> Iterator[tuple[str, bytes]]:
    """Files of other encoders, in the ways of storing that openhdr does not write itself."""
    import imagecodecs
    import OpenEXR
    import tifffile
    from PIL import Image as Pillow

    codes = (scene() * 60).astype(np.uint8)
    photo = Pillow.fromarray(codes)

    photos = {
        "jpeg-progressive.jpg": (photo, {"progressive": True}),
        "jpeg-restarts.jpg": (photo, {"restart_marker_rows": 1, "subsampling": 2}),
        "jpeg-inks.jpg": (photo.convert("CMYK"), {}),
        "jpeg-grey.jpg": (photo.convert("L"), {"optimize": True}),
        "png-palette.png": (photo.convert("P"), {}),
        "png-grey.png": (photo.convert("LA"), {}),
        "webp-lossless.webp": (photo, {"lossless": True}),
        "webp-animated.webp": (photo, {"save_all": True, "append_images": [photo.rotate(90)]}),
        "avif-animated.avif": (photo, {"save_all": True, "append_images": [photo.rotate(180)]}),
    }
    for name, (picture, options) in photos.items():
        file = io.BytesIO()
        picture.save(file, name.split("-")[0], **options)
        yield name, file.getvalue()
    yield "png-sixteen.png", imagecodecs.png_encode(codes.astype(np.uint16) * 257)
    yield "avif-ten.avif", imagecodecs.avif_encode(codes.astype(np.uint16) * 4, level=90, bitspersample=10)
    for name in ("NO", "RLE", "ZIPS", "PIZ", "PXR24", "B44", "DWAA"):
        header = {"compression": getattr(OpenEXR, f"{name}_COMPRESSION"), "type": OpenEXR.scanlineimage}
        file = io.BytesIO()
        OpenEXR.File(header, {"RGBA": np.dstack([scene(), scene()])[..., :4].astype(np.float16)}).write(file)
        yield f"openexr-{name.lower()}.exr", file.getvalue()
    header = {
        "type": OpenEXR.tiledimage,
        "tiles": OpenEXR.TileDescription(),
        "compression": OpenEXR.ZIP_COMPRESSION,
    }
    parts = [OpenEXR.Part(dict(header, name=name), {"RGB": scene()}) for name in "ab"]
    file = io.BytesIO()
    OpenEXR.File(parts).write(file)
    yield "openexr-tiles.exr", file.getvalue()
    for packed in (None, "lzw", "packbits", "zstd", "lzma", "jpeg", "zlib"):
        for shape in ({}, {"tile": (16, 32)}):
            file = io.BytesIO()
            tifffile.imwrite(file, codes, photometric="rgb", compression=packed, **shape)
            yield f"tiff-{packed}{len(shape)}.tif", file.getvalue()
    file = io.BytesIO()
    tifffile.imwrite(
        file, np.moveaxis(scene(), 2, 0), photometric="rgb", planarconfig="separate", bigtiff=True
    )
    yield "tiff-planes.tif", file.getvalue()
    for packed in (None, "jpeg"):
        yield f"raw-{packed}.dng", dng(packed)
    rgbe = imagecodecs.rgbe_encode(scene(), header=False, rle=False)
    head = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\nEXPOSURE=2\nPRIMARIES=.64 .33 .3 .6 .15 .06 .3127 .329\n\n"
    yield "radiance-flat.hdr", head + b"-Y %d +X %d\n" % SIZE + rgbe


def dng(packed: str | None) -> bytes:
    """A small DNG: a filter array of 14 bits, plain or as lossless JPEG."""
    import tifffile

    def ratios(*values: float) -> tuple[int, ...]:
        return tuple(part for value in values for part in (round(value * 10000), 10000))

    sensor = (scene()[..., 1] * 3000 + 520).astype(np.uint16)
    tags = [
        (274, 3, 1, 1, True), (33421, 3, 2, (2, 2), True), (33422, 1, 4, bytes([0, 1, 1, 2]), True),
        (50706, 1, 4, bytes([1, 4, 0, 0]), True), (50708, 2, 0, "Test", True), (50714, 4, 1, 512, True),
        (50717, 4, 1, 16000, True), (50728, 5, 3, ratios(1, 1, 1), True), (50778, 3, 1, 21, True),
        (50721, 10, 9, ratios(0.6, -0.1, -0.05, -0.4, 1.2, 0.2, -0.1, 0.2, 0.6), True),
    ]  # fmt: skip
    options = {"lossless": True, "bitspersample": 16} if packed else None
    file = io.BytesIO()
    tifffile.imwrite(file, sensor, photometric=32803, metadata=None, software=False, extratags=tags,
                     compression=packed, compressionargs=options)  # fmt: skip
    return file.getvalue()


# Damage: what happens to files, and what somebody does to them.

NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def damaged(data: bytes, random: random.Random) -> tuple[str, bytes]:
    """The kind of damage, and the file."""
    copy, size = bytearray(data), len(data)
    kind = random.choice(("cut", "zeros", "flip", "flip", "number", "number", "splice", "digits"))
    place = random.randrange(size) if random.random() < 0.5 else random.randrange(min(size, 400))
    if kind == "cut":
        return kind, data[: max(size - random.randrange(1, 9), 1)] if random.random() < 0.2 else data[
            : place or 1
        ]
    if kind == "zeros":
        place = min(place, max(size - LEAST_ZEROS, 0))
        return kind, data[:place] + bytes(size - place)
    if kind == "splice":
        begin, length = random.randrange(size), random.choice((1, 4, 16, 300))
        copy[place : place + random.choice((0, length))] = data[begin : begin + length] * random.choice(
            (1, 1, 50)
        )
    for _ in range(random.choice((1, 1, 2, 5, 20))):
        at = random.randrange(size if random.random() < 0.5 else min(size, 400))
        if kind == "flip":
            copy[at] ^= 1 << random.randrange(8)
        elif kind == "number":
            width, order = random.choice((1, 2, 4, 8)), random.choice(("little", "big"))
            copy[at : at + width] = (random.choice(NUMBERS) % (1 << 8 * width)).to_bytes(width, order)
        elif kind == "digits" and copy[at : at + 1].isdigit():
            copy[at : at + 1] = random.choice((b"0", b"-1", b"1e30", b"99999999", b"nan", b"null", b"[[["))
    return kind, bytes(copy)


# Targets: what reads a file. They return pixels, where there are any, and notes.

Seen = tuple[np.ndarray | None, tuple[str, ...]]


def read_picture(path: Path) -> Seen:
    from openhdr.io import probe, read

    with contextlib.suppress(OpenHDRError):
        probe(path)
    image = read(path)
    return image.pixels, image.notes


def load_weights(path: Path) -> Seen:
    from openhdr.models import load

    load("gsanet", weights=path)
    return None, ()


def load_recipe(path: Path) -> Seen:
    from openhdr.train.recipe import load_recipe

    load_recipe(path)
    return None, ()


def load_response(path: Path) -> Seen:
    from openhdr.camera.response import load

    load(path)
    return None, ()


TARGETS = {"weights": load_weights, "recipe": load_recipe, "response": load_response}


def facts(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Files that hold no picture: a curve and a recipe."""
    from openhdr.camera.response import analytic

    analytic("gamma:2.2").save(folder / "response-gamma.json")
    yield "response-gamma.json", (folder / "response-gamma.json").read_bytes()
    yield "recipe-gsanet.toml", (Path(__file__).parents[1] / "recipes" / "gsanet.toml").read_bytes()


def weights(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Weights of a network, where torch is installed."""
    with contextlib.suppress(ImportError):
        import torch

        from openhdr.models import checkpoints, load

        net = load("gsanet")
        checkpoints.save(net, "gsanet", folder / "weights-own.safetensors")
        yield "weights-own.safetensors", (folder / "weights-own.safetensors").read_bytes()
        file = io.BytesIO()
        torch.save({"state_dict": net.state_dict()}, file)
        yield "weights-plain.pth", file.getvalue()


# The child: each sample in turn, many damages.


def fault(target: Callable[[Path], Seen], path: Path, kind: str, whole: Seen) -> str:
    """What is wrong with reading `path`, or "read" or "refused"."""
    began = time.process_time()  # not of the clock: others use the machine too
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak of memory
    try:
        pixels, notes = target(path)
        result = "read"
        if kind in INCOMPLETE and pixels is not None and set(notes) <= set(whole[1]):
            same = pixels.shape == whole[0].shape and np.array_equal(pixels, whole[0])
            result = "read" if same else "pixels are missing, and nothing says so"
    except OpenHDRError as error:
        result = "a message of several lines" if "\n" in str(error) else "refused"
    if time.process_time() - began > SECONDS_EACH:
        result = f"took {time.process_time() - began:.0f} s"
    status = Path("/proc/self/status")
    peak = int(status.read_text().partition("VmHWM:")[2].split()[0]) if status.exists() else 0
    return "took more than 1 GB" if peak > BYTES_EACH >> 10 else result


def child(folder: Path, count: int, seconds: float, seed: str) -> None:
    """Damage the samples in a folder; print a line of JSON for each fault, and when one is done.

    A crash or an exception ends it. The damaged file then stays.
    """
    faulthandler.enable()
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    names = sorted(path for path in folder.iterdir() if path.is_file())
    for sample in names:
        target = TARGETS.get(sample.name.split("-")[0], read_picture)
        whole, data = target(sample), sample.read_bytes()
        rng, counts, end = random.Random(f"{seed} {sample.name}"), Counter(), time.monotonic() + seconds
        path = folder / "damaged" / sample.name
        path.parent.mkdir(exist_ok=True)
        while counts.total() < count and time.monotonic() < end:
            kind, content = damaged(data, rng)
            path.write_bytes(content)
            faulthandler.dump_traceback_later(HANG, exit=True)
            result = fault(target, path, kind, whole)
            if result not in ("read", "refused"):
                kept = folder / "damaged" / f"{seed}-{counts.total()}-{kind}-{sample.name}"
                shutil.copyfile(path, kept)
                print(json.dumps({"fault": result, "file": str(kept)}), flush=True)
            counts[result if result in ("read", "refused") else "faults"] += 1
        path.unlink(missing_ok=True)
        sample.unlink()
        print(json.dumps(counts), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120.0, help="for all samples together")
    parser.add_argument("--count", type=int, default=10**9, help="damaged copies of each sample")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", help="samples whose names begin so")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"))
    options = parser.parse_args()
    faults, counts = 0, Counter()
    with tempfile.TemporaryDirectory() as name:
        made = samples(Path(name), tuple(options.only or ()))
        folder, number = Path(name, "samples"), len(made)
        folder.mkdir()
        for key, data in made.items():
            (folder / key).write_bytes(data)
        for attempt in range(MAX_ENDS):
            command = [sys.executable, __file__, "--child", folder, options.count,
                       options.seconds / max(number, 1), f"{options.seed}.{attempt}"]  # fmt: skip
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
            lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
            left = sorted(path for path in folder.iterdir() if path.is_file())
            if done.returncode and left:
                broke = folder / "damaged" / left[0].name
                broke = broke if broke.exists() else left[0]
                lines.append({"fault": f"exit {done.returncode}: {done.stderr[-2000:]}", "file": str(broke)})
            for line in lines:
                if "fault" not in line:
                    counts.update(line)
                    continue
                faults += 1
                options.keep.mkdir(exist_ok=True)
                kept = options.keep / f"{attempt}-{Path(line['file']).name}"
                shutil.copyfile(line["file"], kept)
                print(f"{kept}: {line['fault']}", flush=True)
            if not left:
                break
    print(f"{number} samples, {counts['read']} read, {counts['refused']} refused, {faults} faults")
    return 1 if faults or not number else 0


def samples(folder: Path, beginnings: tuple[str, ...]) -> dict[str, bytes]:
    """Samples by name, all or those that begin so; what has to be a file on the way is made in `folder`."""
    made = [*pictures(folder), *foreign(), *facts(folder)]
    if not beginnings or any(name.startswith("weights") for name in beginnings):
        made += weights(folder)
    return {name: data for name, data in made if not beginnings or name.startswith(beginnings)}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
    else:
        sys.exit(main())
