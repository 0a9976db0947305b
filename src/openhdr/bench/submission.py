"""What a method makes of a challenge's frames, written as the challenge's server took it; no truth is needed."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from openhdr.bench.methods.photos import Photos
from openhdr.bench.methods.reconstruct import reconstruct
from openhdr.bench.methods.settings import Setting
from openhdr.core.errors import RequestError
from openhdr.core.files import make_folder
from openhdr.core.image import Image
from openhdr.core.progress import task
from openhdr.data.challenge import pack_results, write_result
from openhdr.data.dataset import Dataset
from openhdr.data.sample import exposures_of


def submit(dataset: Dataset, setting: Setting, target: Path) -> int:
    """Run a method on every scene and write `target`, a .zip or a folder; how many scenes there were.

    Raises OpenHDRError when a scene fails; then no .zip is written.
    """
    with (
        tempfile.TemporaryDirectory(prefix="openhdr-submission-") as work,
        task("submission", len(dataset)) as advance,
    ):
        folder = Path(work)
        for sample in dataset:
            frames = tuple(Image(frame, "srgb") for frame in sample.frames)
            photos = Photos(frames, exposures_of(sample), sample.reference, sample.response)
            made = reconstruct(setting, photos)
            if made.encoding != "linear":
                raise RequestError(
                    f"method '{setting.name}' makes an image for display; a challenge takes light"
                )
            write_result(folder, sample.name, made.pixels)
            advance()
        if target.suffix == ".zip":
            pack_results(folder, target)
        else:
            make_folder(target)
            for path in folder.iterdir():
                shutil.copy(path, target / path.name)
    return len(dataset)
