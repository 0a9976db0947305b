"""Tel et al. 2023 (SCTNet): 108 training and 36 test scenes in Kalantari's layout.

Their code reads the layout of Kalantari 2017 unchanged; prepared patches call the truth `label.hdr`. Every
scene keeps pixels near the maximum under 2 %.
"""

from __future__ import annotations

from pathlib import Path

from openhdr.data.dataset import Dataset
from openhdr.data.readers.kalantari import open_scene_folders

LAYOUT = "a folder a scene with three .tif frames, exposure.txt (three EVs) and HDRImg.hdr or label.hdr"


def open_tel(root: Path, split: str) -> Dataset:
    """All scenes of one split."""
    return open_scene_folders("tel", root, split, LAYOUT, ("HDRImg.hdr", "label.hdr"))
