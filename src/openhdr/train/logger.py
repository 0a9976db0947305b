"""What a run leaves to be read: run.json, losses.jsonl, log.txt, TensorBoard.

run.json       the resolved recipe, versions, commit, hardware, data, every resumption and what it changed
losses.jsonl   one line a logged step: {"step": 100, "loss": ..., its terms, "lr": ...}
log.txt        the same for people, with speed and remaining time
tensorboard/   scalars and images, where the extra `train` is installed
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from openhdr.core.errors import FileError
from openhdr.core.files import whole_file

LOSSES, LOG, RUN = "losses.jsonl", "log.txt", "run.json"
Say = Callable[[str], None]


class RunLogger:
    """The files of one run. Lines after step `start`, from before an interruption, are dropped."""

    def __init__(self, folder: Path, start: int, total: int, say: Say) -> None:
        self.folder, self.start, self.total, self.say = folder, start, total, say
        self.began = time.monotonic()
        kept = [line for line in read_losses(folder) if line["step"] <= start]
        write_text(folder / LOSSES, "".join(json.dumps(line) + "\n" for line in kept))
        self.board = _open_board(folder / "tensorboard", start, self.note)

    def note(self, text: str) -> None:
        """A line for people."""
        self.say(text)
        _append(self.folder / LOG, text + "\n")

    def losses(self, step: int, terms: Mapping[str, float], lr: float) -> None:
        """The losses of step number `step`, counted from 1."""
        _append(self.folder / LOSSES, json.dumps({"step": step, **terms, "lr": lr}) + "\n")
        speed = (step - self.start) / max(time.monotonic() - self.began, 1e-9)
        left = timedelta(seconds=round((self.total - step) / speed))
        words = "  ".join(f"{name} {value:.5f}" for name, value in terms.items())
        self.note(f"step {step}/{self.total}  {words}  lr {lr:.3g}  {speed:.2f} steps/s  {left} left")
        self.scalars(step, {**{f"loss/{name}": value for name, value in terms.items()}, "lr": lr})

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        if self.board:
            for name, value in values.items():
                self.board.add_scalar(name, value, step)

    def pictures(self, step: int, images: Mapping[str, np.ndarray]) -> None:
        """images: (H, W, 3) float 0..1, display-coded."""
        if self.board:
            for name, image in images.items():
                self.board.add_image(name, np.round(image * 255).astype(np.uint8), step, dataformats="HWC")

    def close(self) -> None:
        if self.board:
            self.board.close()


class NullLogger:
    """What the other processes of a run write: nothing."""

    def note(self, text: str) -> None:
        return

    def losses(self, step: int, terms: Mapping[str, float], lr: float) -> None:
        return

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        return

    def pictures(self, step: int, images: Mapping[str, np.ndarray]) -> None:
        return

    def close(self) -> None:
        return


def read_losses(folder: Path) -> list[dict[str, Any]]:
    """The lines of losses.jsonl; one that was cut off by an interruption is left out."""
    path = folder / LOSSES
    lines = path.read_text().splitlines() if path.is_file() else []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return found


def write_text(path: Path, text: str) -> None:
    """Write a small file, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text)


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a") as stream:
            stream.write(text)
    except OSError as error:
        raise FileError(path, f"cannot be written ({error.strerror})") from error


def _open_board(folder: Path, start: int, note: Say) -> Any:
    """A TensorBoard writer that forgets what was shown after step `start`, or None where there is none."""
    try:
        with warnings.catch_warnings():  # of the versions of its own dependencies
            warnings.simplefilter("ignore")
            from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        note("no TensorBoard files, because tensorboard is not installed: pip install 'openhdr[train]'")
        return None
    return SummaryWriter(str(folder), purge_step=start + 1)
