"""What every file format gives, and the limits that hold for all of them.

A format file holds, in this order: what the file stores, recognise by signature, probe without pixels,
read, encode, and a `FORMAT` that names these functions. Decoders are imported inside the functions that use
them, because recognising one file must not load the decoders of all formats.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import struct
import tempfile
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from openhdr.core.errors import FileError, UnavailableError
from openhdr.core.image import REC709, Chromaticities, Encoding, Exposure, Image
from openhdr.core.version import __version__
from openhdr.io.gainmap import GainFacts

MAX_MEGAPIXELS = 400.0
MAX_MEGAPIXELS_VARIABLE = "OPENHDR_MAX_MEGAPIXELS"
MAX_BYTES_PER_PIXEL = 32  # of memory at the peak of decoding: two copies of four floats
# Memory against file size: photos reach 1:50, deflate at most 1:1030. Little memory is granted to any file.
FREE_BYTES = 800_000_000
COLOUR_BYTES = 30  # a pixel, where light or other primaries are made of code values; measured
MAX_EXPANSION = 500
READ_AT_ONCE = 1 << 16
STDERR, MAX_SAID = 2, 10_000  # file descriptor; bytes

SOFTWARE = f"openhdr {__version__}"
"""The name that openhdr leaves in files of what it made."""


def as_result(image: Image) -> Image:
    """The image with metadata that say so: it has the exposure of a photo, but is none."""
    return replace(image, metadata={**image.metadata, "software": SOFTWARE})


def is_result(metadata: Mapping[str, Any]) -> bool:
    """Whether metadata are of what openhdr made: light, or a picture of it."""
    return str(metadata.get("software", "")).startswith("openhdr")


class FileBytes(io.BufferedReader):
    """The bytes of an open file: sliced and searched like `bytes`, or read by a decoder like any file.

    They are not mapped into memory: when another program cuts off a mapped file, the process is killed.
    Raises OSError when the file has become shorter than it was when it was opened.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self.length = os.fstat(self.fileno()).st_size

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, place: slice) -> bytes:
        start, stop, _ = place.indices(self.length)
        wanted = max(stop - start, 0)
        self.seek(start)
        found = self.read(wanted)
        if len(found) != wanted:
            raise OSError("the file became shorter while it was read")
        return found

    def find(self, sub: bytes, start: int = 0, end: int | None = None) -> int:
        """As `bytes.find`, for indices >= 0."""
        place = self[start:end].find(sub)
        return place if place < 0 else place + start


Bytes = FileBytes | bytes
"""What `recognise` looks at."""


@dataclass(frozen=True)
class Source:
    """A file that is being read. data: its bytes, read when they are asked for. base: leave a gain map out.

    enough: pixels of the longer side that will do, 0 = all; formats that are faster then decode no more than needed.
    """

    path: Path
    data: FileBytes
    base: bool = False
    enough: int = 0


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """Facts about an image file.

    width, height: pixels of the upright image, as `read` gives it.
    channels, bits, sample: what the file stores, per pixel and per channel.
    encoding: what `read` will return. orientation: EXIF 1..8, already applied by `read`.
    primaries: of what the file stores. gain_map: facts of its gain map, None where it has none.
    """

    path: Path
    format: str
    width: int
    height: int
    channels: int
    bits: int
    sample: Literal["uint", "float"] = "uint"
    encoding: Encoding = "srgb"
    orientation: int = 1
    exposure: Exposure | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    primaries: Chromaticities = REC709
    gain_map: GainFacts | None = None


@dataclass(frozen=True)
class WriteOptions:
    """How to store an image; each format uses what concerns it.

    primaries: of the file; PQ and HLG files are Rec.2020 unless other ones than Rec.709 are named.
    For files of HDR screens: white, the light that is shown as the white of an SDR screen (203 cd/m2); headroom, stops
    over it that a gain map keeps; sdr, the SDR image beside a gain map (None: light clipped at white).
    """

    exr_half: bool = True  # 16-bit half floats; False = 32-bit floats
    dng_half: bool = True  # 16-bit half floats; False = 32-bit floats
    dng_linear: bool = False  # of sensor values: demosaiced
    exr_compression: str = "piz"  # none, rle, zips, zip, piz, pxr24 (lossy for float), dwaa, dwab (lossy)
    jpeg_quality: int = 95  # 1..100, chroma not subsampled
    webp_quality: int = 95  # 1..100
    avif_quality: int = 95  # 1..100
    avif_bits: int = 10  # or 12, of light above white
    jxl_quality: int = 98  # 1..100; 90 = a distance of 1
    lossless: bool = False  # JPEG XL: light as floats
    png_level: int = 3  # deflate effort 0..9
    tiff_compression: str = "zlib"  # none, zlib
    primaries: Chromaticities = REC709
    white: float = 1.0
    headroom: float = 4.0
    sdr: Image | None = None
    transfer: str = "pq"  # or hlg: the curve of AVIF, JPEG XL, HEIC and PNG with light above white
    gain_map: bool = False  # AVIF: an SDR image and a gain map instead of PQ
    map_quality: int = 95  # 1..100, of a gain map
    map_scale: int = 1  # pixels of the image to one of the gain map, each way


Encoded = tuple[bytes | memoryview, tuple[str, ...]]
"""The bytes of a file, and what its format could not keep, one sentence each."""


@dataclass(frozen=True)
class Format:
    """The functions of one format file. `encode` gives the bytes of a whole file, and notes."""

    recognise: Callable[[Bytes], bool]
    probe: Callable[[Source], ImageInfo]
    read: Callable[[Source], Image]
    encode: Callable[[Image, WriteOptions], Encoded] | None = None


@contextmanager
def open_source(path: Path, base: bool = False, enough: int = 0) -> Iterator[Source]:
    """Open an input file. Raises FileError when it is missing, empty, a folder or not a plain file."""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise FileError(path, "is a folder", f"name the images in it, as in {path}/*.jpg")
        if not stat.S_ISREG(mode):
            raise FileError(path, "is not a plain file", "save the image to a file first")
        with FileBytes(path) as data:
            if len(data) == 0:
                raise FileError(path, "is empty", "expected an image")
            yield Source(path, data, base, enough)
    except FileNotFoundError as error:
        raise FileError(path, "does not exist") from error
    except OSError as error:
        raise UnavailableError(path, f"cannot be read ({error.strerror or error})") from error


def trailing_zeros(data: Bytes) -> int:
    """How many zero bytes a file ends with: the part of a copy that never arrived looks like this."""
    end = len(data)
    while end > 0:
        block = data[max(end - READ_AT_ONCE, 0) : end]
        kept = len(block.rstrip(b"\0"))
        end -= len(block) - kept
        if kept:
            break
    return len(data) - end


# What the decoders are known to raise on damaged files. Our own code stays outside `decoding`.
DAMAGE = (
    *(OSError, ValueError, RuntimeError, SyntaxError, EOFError, TypeError, LookupError, AttributeError),
    *(ArithmeticError, AssertionError, MemoryError, struct.error, zlib.error),
)


@contextmanager
def decoding(source: Source, format_name: str, *own_errors: type[Exception]) -> Iterator[None]:
    """Turn what a decoder raises into a one-line FileError; its warnings stay silent.

    own_errors: exception types of the decoder that are not in DAMAGE.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except FileError:
        raise
    except MemoryError as error:
        raise FileError(source.path, f"{format_name} file needs more memory than there is") from error
    except (*DAMAGE, *own_errors) as error:  # type: ignore[misc]
        raw = error.args[0] if error.args else ""
        text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(error)
        reason = " ".join(text.split())[:160] or type(error).__name__
        raise FileError(source.path, f"damaged or unsupported {format_name} file ({reason})") from error


class _Silence:
    """Standard error and Python's standard output go to a file while any decoder is inside."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.undo = contextlib.ExitStack()

    def enter(self) -> io.RawIOBase:
        with self.lock:
            self.inside += 1
            if self.inside == 1:
                self.said = self.undo.enter_context(_kept_or_nowhere())
                self.undo.enter_context(contextlib.redirect_stdout(io.StringIO()))
                with contextlib.suppress(OSError):  # standard error may be closed
                    saved = os.dup(STDERR)
                    self.undo.callback(os.close, saved)
                    self.undo.callback(os.dup2, saved, STDERR)
                    os.dup2(self.said.fileno(), STDERR)
            return self.said

    def leave(self) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                self.undo.close()


def _kept_or_nowhere() -> io.RawIOBase:
    try:
        return tempfile.TemporaryFile("a+b", buffering=0)
    except OSError:
        return open(os.devnull, "a+b", buffering=0)


_silence = _Silence()


@contextmanager
def quiet() -> Iterator[Callable[[], str]]:
    """Keep a decoder that prints about damaged files, in C or Python, from writing to the terminal.

    The value of the block gives what was printed to standard error since it began. It holds for the whole process, so
    it is used only around the decoders that print; what other threads print meanwhile is in it too.
    """
    said = _silence.enter()
    begin = os.fstat(said.fileno()).st_size

    def printed() -> str:
        said.seek(begin)  # what is printed next is appended all the same
        return (said.read(MAX_SAID) or b"").decode("utf-8", "replace")

    try:
        yield printed
    finally:
        _silence.leave()


@contextmanager
def encoding(path: Path, format_name: str) -> Iterator[None]:
    """Turn an encoder's refusal, such as of an image too large for the format, into a FileError."""
    try:
        yield
    except (ValueError, RuntimeError, SyntaxError, TypeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise FileError(path, f"cannot be written as {format_name} ({reason})") from error


def check_size(source: Source, width: int, height: int, bytes_per_pixel: float = 12) -> None:
    """Refuse an image by its declared size, before anything is allocated. Raises FileError.

    bytes_per_pixel: of memory, at the peak of decoding: what the decoder needs and all copies until `read` returns.
    """
    limit = _limit()
    if width < 1 or height < 1:
        raise FileError(source.path, f"declares {width}x{height} pixels", "the file is damaged")
    if width * height > limit * 1e6:
        raise FileError(
            source.path,
            f"declares {width}x{height} pixels, over the limit of {limit:g} megapixels",
            f"set {MAX_MEGAPIXELS_VARIABLE} to allow more",
        )
    check_memory(source, width * height * bytes_per_pixel, f"declares {width}x{height} pixels")


def check_memory(source: Source, needed: float, reason: str) -> None:
    """Refuse a file that would take `needed` bytes of memory, far more than its own size explains.

    reason: what in the file asks for them. Raises FileError.
    """
    allowed = _limit() * 1e6 * MAX_BYTES_PER_PIXEL
    if MAX_MEGAPIXELS_VARIABLE not in os.environ:
        allowed = min(allowed, max(FREE_BYTES, MAX_EXPANSION * len(source.data)))
    if needed > allowed:
        raise FileError(
            source.path,
            f"{reason}: {needed / 1e9:.1f} GB of memory for a file of {len(source.data)} bytes",
            f"it is damaged or a decompression bomb; set {MAX_MEGAPIXELS_VARIABLE} to read it anyway",
        )


def _limit() -> float:
    setting = os.environ.get(MAX_MEGAPIXELS_VARIABLE)
    try:
        limit = float(setting) if setting else MAX_MEGAPIXELS
    except ValueError:
        limit = 0.0
    if not limit > 0:
        raise FileError(
            MAX_MEGAPIXELS_VARIABLE, f"environment variable is '{setting}'", "expected megapixels above 0"
        )
    return limit
