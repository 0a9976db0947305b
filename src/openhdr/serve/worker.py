"""What the processes behind the page do: look at photos, merge, tone-map, export. Run by `batch.process`.

A request is {"do": name of a row of WORK, ...}; the answer is what that returns, or {"error"}. Paths come from the
session, never from a browser. Files are decoded in a child of this process (`io.isolated`), which the server asks for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np

from openhdr import io
from openhdr.batch.process import Tell, answer_requests
from openhdr.bracketing.exposure_estimation import likely_response
from openhdr.camera.response import ASSUMED_RESPONSE
from openhdr.color.dynamic_range import stops
from openhdr.color.transfer import srgb_encode
from openhdr.core import progress
from openhdr.core.config import plain
from openhdr.core.errors import OpenHDRError
from openhdr.core.files import sha256_of, write_whole
from openhdr.core.image import REC709, Exposure, Image
from openhdr.core.memory import give_back
from openhdr.core.version import __version__
from openhdr.geometry import Registration, warp
from openhdr.io.pixels import in_primaries
from openhdr.pipeline.bracket_to_hdr import CALIBRATE, MergeResult, merge_bracket
from openhdr.pipeline.delivery import storage, write_result
from openhdr.pipeline.photo_to_hdr import expand_photo
from openhdr.pipeline.pipeline_options import DeliveryOptions, ExpandOptions, MergeOptions
from openhdr.serve.layers import COARSEST, histogram, mapped, write_layer
from openhdr.tonemapping import tonemap

DRAFT_PX, THUMBNAIL_PX, MASK_PX = 640, 320, 1024  # of the longer side
DRAFT = {"method": "mle", "deghost": False, "match": False}  # for a first look, quickly
HAND_HELD = 9  # photos: longer brackets stand on a tripod, and registering them takes most of a first look


def serve() -> None:
    answer_requests(answer)


def answer(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """What was asked for, or why it cannot be."""
    try:
        with progress.listening(listener(tell)):
            return WORK[request["do"]](request)
    except (OpenHDRError, MemoryError) as error:
        return {"error": str(error) or "it needs more memory than there is"}
    finally:
        give_back()


def listener(tell: Tell) -> progress.Listener:
    """Tells the label of the work and the share that is done, at most a hundred times."""

    @contextmanager
    def shown(label: str, total: int) -> Iterator[progress.Advance]:
        done, last = 0, -1

        def advance() -> None:
            nonlocal done, last
            done += 1
            percent = 100 * done // max(total, 1)
            if percent != last:
                last = percent
                tell({"label": label, "percent": percent})

        tell({"label": label, "percent": 0})
        yield advance

    return shown


def warm(request: dict[str, Any]) -> dict[str, Any]:
    """Load what the first photo would wait for: decoders, their process, operators; networks where merges are made."""
    demo = resources.files("openhdr.demo")
    with resources.as_file(demo / "0.jpg") as path:
        photo = io.read(path, base=True, primaries=None, enough=120)
    options = {} if request["networks"] else {"response": ASSUMED_RESPONSE, **DRAFT}
    light = merge_bracket([photo, photo], _merge_options({"ev": [0, 1], **options})).image
    tonemap(light, dtype="uint8")
    return {}


def describe(request: dict[str, Any]) -> dict[str, Any]:
    """A thumbnail, `into`/thumbnail.jpg, and a small copy of the photo for drafts, `into`/small.npy."""
    into = Path(request["into"])
    image = io.read(request["path"], base=True, primaries=None, enough=DRAFT_PX)
    factor = DRAFT_PX / max(image.width, image.height)
    if factor < 1:
        size = (max(round(image.width * factor), 1), max(round(image.height * factor), 1))
        image = image.with_pixels(cv2.resize(image.pixels, size, interpolation=cv2.INTER_AREA))
    np.save(into / "small.npy", image.pixels)
    codes = _codes(image)
    size = (THUMBNAIL_PX * np.array(codes.shape[1::-1]) / max(codes.shape)).round().astype(int)
    small = cv2.resize(codes, np.maximum(size, 1).tolist(), interpolation=cv2.INTER_AREA)
    io.write(into / "thumbnail.jpg", Image(small, "srgb"), io.WriteOptions(jpeg_quality=85))
    _store_facts(image, into / "small.json")
    return {
        "clipped": float((codes.max(axis=2) >= 250).mean()),
        "black": float((codes.max(axis=2) <= 5).mean()),
    }


def _codes(image: Image) -> np.ndarray:
    """(H, W, 3) uint8, as a screen shows the photo; light of RAW files is scaled to fill the range."""
    if image.encoding == "linear":
        white = max(float(np.percentile(image.pixels[::4, ::4], 99.5)), 1e-6)
        return np.rint(255 * srgb_encode(np.clip(image.pixels / white, 0, 1))).astype(np.uint8)
    if image.pixels.dtype == np.uint8:
        return image.pixels
    return np.rint(image.pixels * (255 / image.full_scale)).astype(np.uint8)


def _store_facts(image: Image, path: Path) -> None:
    """All of an image but its pixels."""
    kept = {one.name: getattr(image, one.name) for one in fields(image) if one.name != "pixels"}
    write_whole(path, json.dumps(plain(kept)).encode())


def _stored(folder: Path, name: str, pixels: np.ndarray) -> Image:
    """An image whose facts lie in a file NAME.json."""
    facts = json.loads((folder / f"{name}.json").read_text("utf-8"))
    exposure = facts.pop("exposure")
    return Image(
        pixels,
        facts["encoding"],
        Exposure(**exposure) if exposure else None,
        facts["metadata"],
        tuple(facts["notes"]),
        tuple(facts["primaries"]),
    )


def draft(request: dict[str, Any]) -> dict[str, Any]:
    """A small merge of the small copies, at once: what the scene holds, without a search for ghosts.

    The response is not measured, which would take longer than all else; one that was chosen is used, else the one by
    which a merge begins. So is an alignment, which long brackets do without.
    """
    folders = [Path(one) for one in request["folders"]]
    small = [_stored(one, "small", np.load(one / "small.npy", allow_pickle=False)) for one in folders]
    if request["command"] == "expand":
        return _expanded(small[0], request)
    chosen = {name: value for name, value in request["options"].items() if value != CALIBRATE}
    still = {"align": "none"} if len(small) > HAND_HELD else {}
    curve = likely_response(small) if chosen.get("ev") == "auto" else ASSUMED_RESPONSE
    options = _merge_options({"response": curve, **still, **chosen, **DRAFT})
    return _merged(merge_bracket(small, options), request)


def merge(request: dict[str, Any]) -> dict[str, Any]:
    """The bracket merged, as `openhdr merge` does."""
    return _merged(merge_bracket(request["photos"], _merge_options(request["options"])), request)


def open_light(request: dict[str, Any]) -> dict[str, Any]:
    """A file that holds HDR light already."""
    into = Path(request["into"])
    np.savez(into / "registrations.npz", homographies=np.eye(3)[None])
    facts = _kept(io.read(request["photos"][0]), request)
    frame = {"name": request["names"][0], "ev": 0.0, "status": "reference", "shift_px": 0.0, "used": 1.0}
    return facts | {
        "frames": [frame | {"reference": True}],
        "masks": [],
        "response": "",
        "exposures_from": "",
    }


def expand(request: dict[str, Any]) -> dict[str, Any]:
    """One photo expanded, as `openhdr expand` does."""
    return _expanded(request["photos"][0], request)


def _merge_options(given: Mapping[str, Any]) -> MergeOptions:
    values: dict[str, Any] = dict(given)
    if "reference" in values:
        values["reference"] = int(values["reference"])
    return MergeOptions(**values)


def _merged(result: MergeResult, request: dict[str, Any]) -> dict[str, Any]:
    """The result on disk, and what the page tells of it."""
    into = Path(request["into"])
    facts = _kept(result.image, request)
    masks = [_mask(one, facts["height"] / facts["width"]) for one in result.consistency]
    sizes = [write_layer(into / f"mask-{index}", mask) for index, mask in enumerate(masks)]
    flows = {f"flow{k}": one.flow for k, one in enumerate(result.registrations) if one.flow is not None}
    homographies = np.stack([one.homography for one in result.registrations])
    np.savez(into / "registrations.npz", allow_pickle=False, homographies=homographies, **flows)
    np.save(into / "response.npy", result.response.table(np.dtype(np.uint8)))
    names = request["names"]
    facts["masks"] = sizes
    facts["response"] = result.measured.origin or result.response.name
    facts["exposures_from"] = result.exposures_from
    facts["frames"] = [
        {
            "name": names[index],
            "ev": float(result.bracket.ev[index]),
            "status": place.status,
            "shift_px": place.shift_px,
            "reference": index == result.bracket.reference,
            "used": 0.0
            if place.status == "rejected" or index not in result.used
            else float(mask.mean() / 255),
        }
        for index, (place, mask) in enumerate(zip(result.registrations, masks, strict=True))
    ]
    return facts


def _expanded(photo: Image | str, request: dict[str, Any]) -> dict[str, Any]:
    expansion = expand_photo(photo, ExpandOptions(**request["options"]))
    facts = _kept(expansion.image, request)
    frame = {"name": request["names"][0], "ev": 0.0, "status": "reference", "shift_px": 0.0, "used": 1.0}
    np.savez(Path(request["into"]) / "registrations.npz", homographies=np.eye(3)[None])
    return facts | {
        "frames": [frame | {"reference": True}],
        "masks": [],
        "response": "",
        "exposures_from": "",
    }


def _mask(consistency: np.ndarray, ratio: float) -> np.ndarray:
    """(h, w) uint8 of at most MASK_PX: 255 = the frame counts. ratio: height over width of the picture."""
    longer = min(max(consistency.shape), MASK_PX) if consistency.size > 1 else 64
    size = (longer, max(round(longer * ratio), 1)) if ratio <= 1 else (max(round(longer / ratio), 1), longer)
    return np.rint(255 * cv2.resize(consistency, size, interpolation=cv2.INTER_AREA)).astype(np.uint8)


def _kept(image: Image, request: dict[str, Any]) -> dict[str, Any]:
    """Write light, tones and facts of a result. A picture for a screen (`mertens`) has no light."""
    into = Path(request["into"])
    _store_facts(image, into / "image.json")
    told: dict[str, Any] = {"width": image.width, "height": image.height, "notes": list(image.notes)}
    if image.encoding == "srgb":
        np.save(into / "native.npy", image.pixels)
        codes = np.rint(image.pixels * np.float32(255)).astype(np.uint8)
        return told | {"tone": {"name": "tone", "sizes": write_layer(into / "tone", codes)}, "light": None}
    shown = image
    if image.primaries != REC709:
        np.save(into / "native.npy", image.pixels)
        shown = in_primaries(image, REC709)
    light = write_layer(into / "light", shown.pixels)
    return told | {
        "light": light,
        "tone": tone({**request["tone"], "folder": str(into), "layer": "tone", "proxy": True}),
        "histogram": histogram(shown.pixels),
        "stops": stops(shown.pixels),
        "peak": float(shown.pixels.max()),
        "white_luminance": image.metadata.get("white_luminance"),
    }


def _result(folder: Path, level: int = 0) -> Image:
    """The result in a folder; level: of a smaller copy."""
    native = folder / "native.npy"
    if native.exists():
        image = _stored(folder, "image", np.load(native, allow_pickle=False))
        if level == 0 or image.encoding == "srgb":
            return image
    image = _stored(folder, "image", np.array(mapped(folder / "light", level)))
    return replace(image, primaries=REC709)


def tone(request: dict[str, Any]) -> dict[str, Any]:
    """The result tone-mapped into a layer; proxy: a smaller copy, while values are still being chosen."""
    folder = Path(request["folder"])
    image = in_primaries(_result(folder, proxy_level(folder) if request["proxy"] else 0), REC709)
    shown = tonemap(image, request["operator"], request["options"], dtype="uint8")
    return {
        "name": request["layer"],
        "sizes": write_layer(folder / request["layer"], shown.pixels),
        "of": {"operator": request["operator"], "options": request["options"]},
        "proxy": request["proxy"],
    }


def photo(request: dict[str, Any]) -> dict[str, Any]:
    """A smaller copy of the result as a JPEG with a gain map, which browsers show as HDR."""
    image = _result(Path(request["folder"]), proxy_level(Path(request["folder"])))
    write_result(request["output"], image, storage(DeliveryOptions(quality=92), image), request["operator"])
    return {}


def proxy_level(folder: Path) -> int:
    """Of the copy that is looked at while values are still being chosen."""
    level = 0
    while (folder / "light" / f"{level + 1}.npy").exists() and max(
        mapped(folder / "light", level).shape
    ) > 2 * COARSEST:
        level += 1
    return level


def frame(request: dict[str, Any]) -> dict[str, Any]:
    """A source frame as a layer of codes, moved onto the reference; matched: sRGB codes of the merged light."""
    folder, index = Path(request["folder"]), request["index"]
    if request["draft"]:
        small = Path(request["photo"])
        image = _stored(small, "small", np.load(small / "small.npy", allow_pickle=False))
    else:
        image = io.read(request["photo"], base=True, primaries=None)
    with np.load(folder / "registrations.npz", allow_pickle=False) as stored:
        flow = stored.get(f"flow{index}")
        place = Registration("aligned", stored["homographies"][index], flow)
    codes = _codes(image)
    if request["matched"] and image.encoding == "srgb" and (folder / "response.npy").exists():
        light = np.load(folder / "response.npy", allow_pickle=False)
        codes = cv2.LUT(codes, np.rint(255 * srgb_encode(light)).astype(np.uint8)[None])
    return {"sizes": write_layer(folder / request["layer"], warp(codes, place)[0])}


def export(request: dict[str, Any]) -> dict[str, Any]:
    """A file of the result: its light as `merge` and `convert` write it, or a picture as `tonemap` does."""
    image, output = _result(Path(request["folder"])), Path(request["output"])
    if image.encoding == "linear" and not request["light"]:
        image = tonemap(in_primaries(image, REC709), request["operator"], dtype="uint8")
    notes = write_result(
        output, image, storage(DeliveryOptions(**request["delivery"]), image), request["operator"]
    )
    return {"notes": list(notes), "bytes": output.stat().st_size}


def sidecar(request: dict[str, Any]) -> dict[str, Any]:
    """The .json that `openhdr merge --like` takes."""
    content = {
        "openhdr": __version__,
        "command": request["command"],
        "inputs": [{"file": Path(one).name, "sha256": sha256_of(Path(one))} for one in request["photos"]],
        "options": request["options"],
        "result": request["facts"],
    }
    output = Path(request["output"])
    write_whole(output, (json.dumps(content, indent=1) + "\n").encode())
    return {"notes": [], "bytes": output.stat().st_size}


WORK: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = MappingProxyType(
    {
        "warm": warm,
        "describe": describe,
        "draft": draft,
        "merge": merge,
        "expand": expand,
        "open": open_light,
        "tone": tone,
        "frame": frame,
        "photo": photo,
        "export": export,
        "sidecar": sidecar,
    }
)
