"""The state of a run on disk: a folder a checkpoint, whole or absent.

    checkpoints/step-00001000/net.safetensors      weights, as `openhdr.models.load` reads them
                              mean.safetensors     their running mean, where there is one
                              discriminator.safetensors   the network trained against, where there is one
                              training.pt          optimisers, scaler, validation history: numbers only

A checkpoint is written under another name and renamed when all of it is on the disk. The step's number says
everything else: learning rate, data order and random numbers follow from it.
"""

from __future__ import annotations

import io
import os
import pickle
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as tensor_bytes
from torch import nn

from openhdr.core.errors import FileError
from openhdr.models import checkpoints as weights_files

FOLDER = "checkpoints"
STATE = "training.pt"
_PARTIAL = "partial-"


def save(run: Path, step: int, modules: Mapping[str, nn.Module], state: Mapping[str, Any], keep: int) -> Path:
    """Write the checkpoint after `step` steps and remove all but the newest `keep`.

    Raises FileError when the disk is full; the older checkpoints are there still.
    """
    folder = run / FOLDER
    final, partial = folder / f"step-{step:08d}", folder / f"{_PARTIAL}{step:08d}"
    memory = io.BytesIO()
    torch.save(dict(state), memory)
    files = {
        f"{name}.safetensors": tensor_bytes(
            {key: value.detach().cpu().contiguous() for key, value in module.state_dict().items()}
        )
        for name, module in modules.items()
    }
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name, data in {**files, STATE: memory.getvalue()}.items():
            with (partial / name).open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        shutil.rmtree(final, ignore_errors=True)
        os.replace(partial, final)
        _flush(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise FileError(final, f"cannot be written ({error.strerror or error})") from error
    for old in _steps(folder)[:-keep]:
        gone = old.with_name(
            f"{_PARTIAL}{old.name}"
        )  # first the name, so that a checkpoint is never half there
        os.replace(old, gone)
        shutil.rmtree(gone, ignore_errors=True)
    return final


def newest(run: Path, tidy: bool) -> Path | None:
    """The newest checkpoint of a run, None before the first. tidy: remove remains of interrupted writing."""
    for remains in (run / FOLDER).glob(f"{_PARTIAL}*") if tidy else ():
        shutil.rmtree(remains, ignore_errors=True)
    found = _steps(run / FOLDER)
    return found[-1] if found else None


def load(path: Path, modules: Mapping[str, nn.Module]) -> dict[str, Any]:
    """Put a checkpoint's weights into the modules and return the rest of its state, `step` among it.

    Raises FileError when a file is damaged or belongs to another network. Runs no code of the files.
    """
    for name, module in modules.items():
        file = path / f"{name}.safetensors"
        try:
            module.load_state_dict(load_tensors(file.read_bytes()))
        except (OSError, safetensors.SafetensorError, RuntimeError) as error:
            raise FileError(
                file,
                f"does not fit this run ({str(error).splitlines()[0]})",
                "resume with the run's own recipe",
            ) from error
    try:
        state = torch.load(path / STATE, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise FileError(
            path / STATE, "is damaged", "delete this checkpoint and resume from the one before"
        ) from error
    return {**state, "step": step_of(path)}


def step_of(path: Path) -> int:
    """After how many steps a checkpoint was written."""
    return int(path.name.removeprefix("step-"))


def write_weights(net: nn.Module, network: str, path: Path) -> None:
    """Weights for use, whole or not at all. Raises FileError when the disk is full."""
    try:
        weights_files.save(net, network, path)
    except safetensors.SafetensorError as error:
        raise FileError(path, f"cannot be written ({error})") from error


def _flush(folder: Path) -> None:
    """Bring renames to the disk, where the system can."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _steps(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("step-*") if path.name.removeprefix("step-").isdecimal())
