"""Networks for other runtimes: an ONNX file with dynamic sizes, checked against PyTorch before it appears.

A file holds one network with its weights. What goes in and comes out is what `forward` takes and gives; padding to
the network's own multiples is part of the file, so that every height and width will do. Tiles, and with them a
bound on memory, are the runner's: whoever runs the file has to cut large images.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from openhdr.core.errors import MissingExtraError, RequestError
from openhdr.core.files import whole_file
from openhdr.core.progress import task
from openhdr.core.version import __version__
from openhdr.models import MODELS, load_for_use
from openhdr.models.inference.interfaces import INTERFACES, Interface, Sizes
from openhdr.models.layers.steps import OnePhotoNetwork

TOLERANCE = 1e-4
"""Largest difference from PyTorch that is let pass, beside values of 1."""


@dataclass(frozen=True)
class Exported:
    """A file that was written, and how it was checked."""

    path: Path
    shapes: Mapping[str, tuple[int | str, ...]]  # of inputs and outputs; a name stands for a free length
    opset: int
    checked: tuple[Sizes, ...]
    largest_difference: float  # of ONNX Runtime from PyTorch, over all sizes checked; relative above 1


def export_files(name: str, path: str | Path, weights: str | Path | None = None) -> list[Exported]:
    """The files of a network of `MODELS` with its weights (see `load_for_use`). Raises as `export_module`.

    One file; or, of a network of several parts, FILE-PART.onnx for each of them.
    """
    if not MODELS[name].exported:
        raise RequestError(f"'{name}' cannot be exported: sizes within it depend on the image's")
    net = load_for_use(name, weights)
    facts = {"network": name, "weights": str(weights or "shipped"), "paper": MODELS[name].paper}
    if MODELS[name].task == "expand":
        facts["encoding"] = cast(OnePhotoNetwork, net).encoding
    return export_parts(net, name, path, facts)


def export_parts(net: nn.Module, name: str, path: str | Path, facts: Mapping[str, str]) -> list[Exported]:
    """The same of a network at hand. name: its row; facts: kept in the files' metadata."""
    path = Path(path)
    return [
        export_module(
            net.get_submodule(part),
            interface,
            path.with_name(f"{path.stem}-{part}{path.suffix}") if part else path,
            facts,
        )
        for part, interface in INTERFACES[MODELS[name].task].items()
    ]


def export_module(
    net: nn.Module, interface: Interface, path: str | Path, facts: Mapping[str, str]
) -> Exported:
    """Write a module in evaluation mode as ONNX; the file appears when ONNX Runtime agrees with PyTorch.

    facts: kept in the file's metadata under `openhdr`. Raises MissingExtraError without the exporter,
    RequestError when the numbers differ by more than `TOLERANCE`.
    """
    _need_exporter()
    with task("exporting", 2) as advance, whole_file(path) as temporary:
        program = _traced(net, interface)
        about = {**facts, "openhdr": __version__, **interface.meaning}
        program.model.metadata_props["openhdr"] = json.dumps(about)
        program.save(temporary, external_data=False)
        advance()
        difference = max(_difference(net, interface, temporary, sizes) for sizes in interface.checked)
        if not difference <= TOLERANCE:
            raise RequestError(
                f"{path}: not written, because ONNX Runtime differs from PyTorch by {difference:.2g}; "
                f"expected at most {TOLERANCE:g}"
            )
        advance()
    graph = program.model.graph
    shapes = {value.name: _plain_shape(value) for value in (*graph.inputs, *graph.outputs)}
    return Exported(Path(path), shapes, program.model.opset_imports[""], interface.checked, difference)


def _need_exporter() -> None:
    try:
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"an ONNX export needs '{error.name}', which", "export") from error


def _traced(net: nn.Module, interface: Interface) -> Any:
    """PyTorch's ONNX program of a module."""
    with _quiet():
        program = torch.onnx.export(
            net,
            interface.example(interface.traced),
            dynamo=True,
            verbose=False,
            input_names=list(interface.inputs),
            output_names=list(interface.outputs),
            dynamic_shapes={name: dict(axes) or None for name, axes in interface.inputs.items()},
        )
    assert program is not None  # only the old exporter, which writes files, returns nothing
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # the exporter's stack traces: paths of this machine, and most of a small file
    for value, axes in zip(program.model.graph.outputs, interface.outputs.values(), strict=True):
        for axis, name in axes.items():  # else a formula of padding and cropping
            cast(Any, value.shape)[axis] = name
    return program


def _plain_shape(value: Any) -> tuple[int | str, ...]:
    return tuple(length if isinstance(length, int) else str(length.value) for length in value.shape)


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter warns of its own use of PyTorch and of torchvision's absence, which no user can mend."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _difference(net: nn.Module, interface: Interface, path: Path, sizes: Sizes) -> float:
    """Largest difference of the file in ONNX Runtime from the module, relative to values above 1."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = interface.example(sizes)
    feed = {name: tensor.numpy() for name, tensor in zip(interface.inputs, inputs, strict=True)}
    with torch.inference_mode():
        made = net(*inputs)
    expected = [made] if isinstance(made, torch.Tensor) else made
    pairs = zip(session.run(None, feed), (tensor.numpy() for tensor in expected), strict=True)
    return max(_largest(found, wanted) for found, wanted in pairs)


def _largest(found: np.ndarray, expected: np.ndarray) -> float:
    if found.shape != expected.shape or not np.isfinite(found).all():
        return float("inf")
    return float((np.abs(found - expected) / np.maximum(np.abs(expected), 1)).max())
