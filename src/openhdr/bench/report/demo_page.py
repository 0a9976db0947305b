"""The demo's page: the reference photo, the merged bracket and the truth under one exposure slider."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np

from openhdr.bench.case import BenchScene
from openhdr.bench.methods.photos import reference_light
from openhdr.bench.report.page import PictureStore, write_page
from openhdr.bench.report.pictures import PictureOptions, encode_light, encode_map
from openhdr.bench.run import FULL_ERROR_TEXT
from openhdr.bench.scoring import error_map
from openhdr.bench.trial import FULL_ERROR

START_EV = -1.5


def write_demo_page(
    path: Path, merged: np.ndarray, scene: BenchScene, words: dict[str, str], photo: bytes
) -> None:
    """Write the page. merged: (H, W, 3) float32, 1.0 = the reference clips.

    words: texts of the page: `lead`, `try`, `score`, `protocol`. photo: a JPEG of the merged image with a gain map.
    """
    options, store = PictureOptions(), PictureStore()
    shown = (
        ("Photo alone", reference_light(scene.given)),
        ("Merged", merged),
        ("Truth", scene.truth),
    )
    pictures = []
    for name, light in shown:
        wrong = None
        if light is not scene.truth:
            wrong = store.add(encode_map(error_map(light, scene), FULL_ERROR, options))
        coded = store.add_light(encode_light(light, scene.top, options))
        pictures.append({"name": name, "light": coded, "error": wrong})
    facts = {
        **words,
        "start_ev": START_EV,
        "photo": store.add("data:image/jpeg;base64," + base64.b64encode(photo).decode()),
        "scene": {"name": "Demo", "top": scene.top, "full_error": FULL_ERROR_TEXT, "pictures": pictures},
    }
    write_page(path, "demo", "openhdr demo", facts, store)
