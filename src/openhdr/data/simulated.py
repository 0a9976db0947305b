"""A simulated bracket on disk.

0.png 1.png ...      frames, shortest exposure first: 8 bits, or 16 for 10- and 12-bit cameras
0.dng 1.dng ...      sensor values instead, where the camera has a colour filter array
gt.exr               truth in the reference's geometry, float, 1.0 = the reference clips
moved_K.png          reference geometry, white = frame K's content differs because something moved
hidden_K.png         reference geometry, white = frame K does not see this part of the still scene
clipped_K.png        frame K's own geometry, white = some channel clips
response.json        the camera's curve, for `--response response.json`, where it has no name
scene.json           exposures, every drawn number and the distribution it was drawn from; written last
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from openhdr import io
from openhdr.camera.response import Response
from openhdr.core.config import plain
from openhdr.core.errors import FileError
from openhdr.core.files import make_folder, whole_file
from openhdr.core.image import Image
from openhdr.data.sample import Sample, truth_of
from openhdr.simulation.config import SimulationConfig
from openhdr.simulation.render import Simulated
from openhdr.simulation.sensor import UNNAMED, as_mosaic, decode_curve

FORMAT = "openhdr-simulated-1"
TRUTH, FACTS, RESPONSE = "gt.exr", "scene.json", "response.json"
BEGUN = ".unfinished"  # there while a bracket is written: what a killed process left may be removed
MASKS = ("moved", "hidden", "clipped")
_CURVE_SAMPLES = 1024
_MASK = rf"({'|'.join(MASKS)})_\d+"
_OURS = re.compile(  # every file above, and what a process that was killed left unfinished of one
    rf"\d+\.(png|dng)|{_MASK}\.png|gt\.exr|(response|scene)\.json"
    rf"|\.(\d+|gt|response|scene|{_MASK})-[0-9a-f]{{8}}\.(png|dng|exr|json)"
)


def write_bracket(result: Simulated, folder: Path, config: SimulationConfig, masks: bool = True) -> None:
    """Write a bracket into `folder`, in place of one that is there, whole or not. config: what it was drawn from.

    Raises FileError where files of such names are nobody's bracket.
    """
    remedy = "choose another output folder"
    make_folder(folder, remedy)
    # scene.json, which says that the others are whole, goes first
    earlier = [one for one in folder.iterdir() if _OURS.fullmatch(one.name) and one.is_file()]
    earlier.sort(reverse=True)
    begun, facts = folder / BEGUN, folder / FACTS
    known = begun.exists() or (facts.is_file() and FORMAT.encode() in facts.read_bytes())
    if earlier and not known:
        raise FileError(earlier[0], "is named like a file of a bracket, and of none", remedy)
    begun.touch()
    for one in earlier:
        one.unlink()
    for number, frame in enumerate(result.frames):
        if result.plan.camera.sensor:
            mosaic = as_mosaic(frame, result.plan.camera, result.plan.ev[number])
            io.write_mosaic(folder / f"{number}.dng", mosaic)
        else:
            io.write(folder / f"{number}.png", Image(frame, "srgb"))
    io.write(folder / TRUTH, Image(result.truth), io.WriteOptions(exr_half=False))
    for kind in MASKS if masks else ():
        for number, mask in enumerate(getattr(result, kind)):
            grey = np.repeat((mask * np.uint8(255))[..., None], 3, axis=2)
            io.write(folder / f"{kind}_{number}.png", Image(grey, "srgb"))
    response = result.plan.camera.response
    if response.startswith(UNNAMED):
        Response(response, decode_curve(response, _CURVE_SAMPLES)).save(folder / RESPONSE)
    with whole_file(facts) as temporary:
        temporary.write_text(json.dumps(facts_of(result, config), indent=1) + "\n")
    begun.unlink()


def facts_of(result: Simulated, config: SimulationConfig) -> dict[str, Any]:
    """What scene.json holds. `reference_index` counts from 0."""
    plan = result.plan
    return {
        "format": FORMAT,
        "scene": plan.scene,
        "seed": plan.seed,
        "ev": plan.ev,
        "reference_index": plan.reference,
        "response": plan.camera.response,
        "enlargement": plan.enlargement,
        "clipped_share": [round(float(mask.mean()), 6) for mask in result.clipped],
        "moved_share": [round(float(mask.mean()), 6) for mask in result.moved],
        "homographies": [f.shake.homography(plan.size, plan.focal_px).round(9).tolist() for f in plan.frames],
        "plan": plain(plan, class_key="is"),
        "distributions": plain(config, class_key="is"),
    }


def digest_of(result: Simulated | Sample) -> str:
    """SHA-256 of all frames' codes and of the truth in half precision: equal brackets on any machine.

    Files are not hashed, because encoders of one format differ between versions.
    """
    truth = truth_of(result) if isinstance(result, Sample) else result.truth
    half = np.minimum(truth, np.finfo(np.float16).max).astype(np.float16)
    parts = [np.ascontiguousarray(part) for part in (*result.frames, half)]
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
