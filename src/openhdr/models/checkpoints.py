"""Files of trained weights: reading, recognising the layout, checking that they fit, writing.

Nothing in a file is ever run: .safetensors holds only numbers, and .pth is read as tensors only.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import json
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, cast, get_type_hints

import numpy as np
import safetensors
import safetensors.torch
import torch
from safetensors.torch import save_file
from torch import nn

from openhdr.core.config import checked
from openhdr.core.errors import FileError, MissingExtraError, RequestError, unknown_name
from openhdr.core.files import whole_file
from openhdr.models.rows import ModelRow

HALF = ".half"
"""What the names of weights end with that an ONNX file stores as halves."""

METADATA_KEY = "openhdr"
"""Key of the .safetensors header, and of an ONNX file's metadata, under which a JSON object names the network and its
options.
"""

DIGEST = "sha256"
"""What the JSON object calls the digest of the tensors."""

WRAPPERS = ("state_dict", "model", "params")
"""Names under which training programs put a network's tensors in a checkpoint."""


DAMAGE = (
    *(RuntimeError, EOFError, ValueError, LookupError, OSError, TypeError, AttributeError),
    *(RecursionError, MemoryError, OverflowError, AssertionError, zipfile.BadZipFile),
)
"""What reading a damaged file of weights is known to raise."""

MAX_DEPTH, MAX_OPTION = 8, 4096  # of tables in tables; of widths and depths that a file may ask for


def configured(row: ModelRow, config: type, variant: Mapping[str, Any]) -> Any:
    """A `config` with the row's and the caller's options; RequestError names what is wrong with one."""
    hints, options = get_type_hints(config), dict(row.variant)
    for name, value in variant.items():
        if name not in hints:
            raise unknown_name(f"option of {row.name}", name, [field.name for field in fields(config)])
        label = f"option {name} of {row.name}"
        options[name] = checked(label, value, hints[name])
        for one in options[name] if isinstance(options[name], tuple) else (options[name],):
            if type(one) is int and not 1 <= one <= MAX_OPTION:
                raise RequestError(f"{label} is {value}; expected 1 or more, to {MAX_OPTION}")
    return config(**options)


def load_file(row: ModelRow, path: Path, variant: Mapping[str, Any]) -> nn.Module:
    """The row's network with the weights of a file, in evaluation mode.

    The file's own options are used where it declares them; `variant` overrides them.
    """
    state, declared = read(path)
    network = row.load()
    if declared.get("network", row.name) != row.name:
        raise FileError(path, f"holds weights of {declared['network']}, not of {row.name}")
    config = configured(row, network.Config, {**declared.get("variant", {}), **variant})
    with torch.device("meta"):  # without memory: the file may ask for any size
        outline = network(config)
    expected = outline.state_dict()
    if state.keys() != expected.keys():
        state = outline.from_authors(state) or state
    _check_fit(path, row.name, state, expected)
    net = network(config)
    net.load_state_dict(state)
    return net.eval()


def save(net: nn.Module, name: str, path: str | Path) -> None:
    """Write a network's weights and options as .safetensors, whole or not at all. name: its row."""
    write(path, net.state_dict(), {"network": name, "variant": asdict(cast(Any, net.config))})


def write(path: str | Path, state: Mapping[str, torch.Tensor], declared: Mapping[str, Any]) -> None:
    """Write tensors as .safetensors. declared: what the header says of them; a digest of the tensors is added, by
    which `read` knows a damaged file.
    """
    plain = {key: tensor.detach().cpu().contiguous() for key, tensor in state.items()}
    header = {METADATA_KEY: json.dumps({**declared, DIGEST: _digest(plain)})}
    with whole_file(path) as temporary:
        save_file(plain, temporary, metadata=header)


def _digest(state: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 over names and bytes of tensors, in the order of the names."""
    found = hashlib.sha256()
    for key in sorted(state):
        found.update(key.encode())
        found.update(state[key].reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors of a .safetensors, .onnx or .pth file by name, and what its header says of the network.

    Parts of a nested checkpoint get dotted names; what is no tensor is left out.
    """
    try:
        content = path.read_bytes()  # not mapped: a mapped file that is cut off kills the process
    except FileNotFoundError as error:
        raise FileError(path, "no such file, and no trained weights of that name are installed") from error
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror})", "expected a file of weights") from error
    if path.suffix == ".safetensors":
        return _read_safetensors(path, content)
    if path.suffix == ".onnx":
        return _read_onnx(path, content)
    try:
        with warnings.catch_warnings():  # it warns of unusual files, which either load or do not
            warnings.simplefilter("ignore", UserWarning)
            return _flat(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)), {}
    except pickle.UnpicklingError as error:
        raise FileError(
            path, "holds more than tensors, or is damaged", "openhdr runs no code of a file"
        ) from error
    except DAMAGE as error:
        raise FileError(path, "is not a PyTorch checkpoint", "expected .safetensors or .pth") from error


def _read_safetensors(path: Path, content: bytes) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    try:
        state = safetensors.torch.load(content)
        end = 8 + int.from_bytes(content[:8], "little")  # the header: its length, then JSON
        header = json.loads(content[8:end]).get("__metadata__", {})
        declared = json.loads(header.get(METADATA_KEY, "{}"))
    except (safetensors.SafetensorError, *DAMAGE) as error:
        raise FileError(path, "is not a .safetensors file, or is damaged") from error
    if not (
        isinstance(declared, dict)
        and isinstance(declared.get("network", ""), str)
        and isinstance(declared.get("variant", {}), dict)
    ):
        raise FileError(
            path, "says nothing sensible of its network", "write it with openhdr, or without facts"
        )
    if declared.get(DIGEST, _digest(state)) != _digest(state):
        raise FileError(path, "is damaged: its tensors are not those it was written with", "copy it again")
    return state, declared


def _read_onnx(path: Path, content: bytes) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The numbers of a module that openhdr exported; what has no dotted name is a constant of the graph."""
    try:
        import onnx
        from google.protobuf.message import DecodeError  # what onnx raises
        from onnx import numpy_helper
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{path.name}: weights in an ONNX file need 'onnx', which", "export"
        ) from error
    try:
        model = onnx.load_model_from_string(content)
        facts = {one.key: one.value for one in model.metadata_props}
        declared = {"network": json.loads(facts[METADATA_KEY])["network"]}
        named = [one for one in model.graph.initializer if "." in one.name]
        state = {
            one.name.removesuffix(HALF): torch.from_numpy(numpy_helper.to_array(one).astype(np.float32))
            for one in named
        }
    except (DecodeError, *DAMAGE) as error:
        raise FileError(
            path, "is not an ONNX file by openhdr, or is damaged", "expected .safetensors"
        ) from error
    return state, declared


def _flat(loaded: Any, depth: int = 0) -> dict[str, torch.Tensor]:
    """Tensors of a checkpoint by dotted name, without a training program's wrapping."""
    if not isinstance(loaded, Mapping) or depth > MAX_DEPTH:
        return {}
    for wrapper in WRAPPERS:
        if isinstance(loaded.get(wrapper), Mapping):
            loaded = loaded[wrapper]
    flat: dict[str, torch.Tensor] = {}
    for key, value in loaded.items():
        if isinstance(value, torch.Tensor):
            flat[str(key)] = value
        elif isinstance(value, Mapping):
            flat |= {f"{key}.{name}": tensor for name, tensor in _flat(value, depth + 1).items()}
    if flat and all(key.startswith("module.") for key in flat):  # left by DataParallel
        flat = {key.removeprefix("module."): tensor for key, tensor in flat.items()}
    return flat


def _check_fit(path: Path, name: str, state: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    missing, foreign = expected.keys() - state.keys(), state.keys() - expected.keys()
    if missing or foreign:
        lost = f"{len(missing)} tensors are missing" + (f" (such as {min(missing)})" if missing else "")
        extra = f"{len(foreign)} do not belong" + (f" (such as {min(foreign)})" if foreign else "")
        raise FileError(path, f"does not fit {name}: {lost}, {extra}", _nearest(missing, foreign))
    for key, tensor in state.items():
        if tensor.shape != expected[key].shape:
            found, wanted = tuple(tensor.shape), tuple(expected[key].shape)
            raise FileError(
                path, f"does not fit {name}: {key} is {found}, expected {wanted}", "check its options"
            )
        if not torch.isfinite(tensor).all():
            raise FileError(
                path, f"{key} holds values that are not finite", "train or fetch the weights again"
            )


def _nearest(missing: set[str], foreign: set[str]) -> str:
    if missing and (near := difflib.get_close_matches(min(missing), foreign, n=1)):
        return f"is '{near[0]}' meant as '{min(missing)}'?"
    return "check the network's name and options"
