"""Networks for other runtimes: an ONNX file with dynamic sizes, checked against PyTorch before it appears.

A file holds one network with its weights. What goes in and comes out is what `forward` takes and gives; padding to
the network's own multiples is part of the file, so that every height and width will do. Tiles, and with them a
bound on memory, are the runner's: whoever runs the file has to cut large images.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import nn

import openhdr
from openhdr.core.errors import MissingExtraError, RequestError
from openhdr.core.files import whole_file
from openhdr.core.progress import task
from openhdr.models import MODELS, load_for_use

TOLERANCE = 1e-4
"""Largest difference from PyTorch that is let pass, beside values of 1."""

Sizes = Mapping[str, int]
"""Name of a dynamic axis -> its length."""

TRACED: Sizes = MappingProxyType({"height": 53, "width": 75})
CHECKED: tuple[Sizes, ...] = (
    MappingProxyType({"height": 48, "width": 72}),
    MappingProxyType({"height": 100, "width": 91}),
)


@dataclass(frozen=True)
class Interface:
    """What goes into a network's file and what comes out.

    inputs, outputs: names, for every argument of `forward` and every result in their order, with those of its
    axes whose length is free. example: lengths by name -> tensors to trace or to check with. meaning: of every
    input and output; it is written into the file.
    """

    inputs: Mapping[str, Mapping[int, str]]
    outputs: Mapping[str, Mapping[int, str]]
    example: Callable[[Sizes], tuple[torch.Tensor, ...]]
    meaning: Mapping[str, str]
    traced: Sizes = field(default_factory=lambda: TRACED)
    checked: tuple[Sizes, ...] = CHECKED


@dataclass(frozen=True)
class Exported:
    """A file that was written, and how it was checked."""

    path: Path
    shapes: Mapping[str, tuple[int | str, ...]]  # of inputs and outputs; a name stands for a free length
    opset: int
    checked: tuple[Sizes, ...]
    largest_difference: float  # of ONNX Runtime from PyTorch, over all sizes checked; relative above 1


def _three_frames(sizes: Sizes) -> tuple[torch.Tensor, ...]:
    frames = torch.rand(1, 3, 3, sizes["height"], sizes["width"], generator=torch.Generator().manual_seed(1))
    return frames, torch.tensor([[-2.0, 0.0, 2.0]])


def _one_photo(sizes: Sizes) -> tuple[torch.Tensor, ...]:
    return (torch.rand(1, 3, sizes["height"], sizes["width"], generator=torch.Generator().manual_seed(1)),)


INTERFACES: Mapping[str, Interface] = MappingProxyType(
    {
        "merge": Interface(
            {"frames": {3: "height", 4: "width"}, "ev": {}},
            {"hdr": {2: "height", 3: "width"}},
            _three_frames,
            {
                "frames": "(1, 3, 3, H, W) RGB 0..1, light ^ (1 / 2.24), short, medium, long exposure",
                "ev": "(1, 3) stops; a frame of EV 0 clips at 1",
                "hdr": "(1, 3, H, W) RGB, light ^ (1 / 2.24), 1 = a frame of EV 0 clips",
            },
        ),
        "expand": Interface(
            {"image": {2: "height", 3: "width"}},
            {"hdr": {2: "height", 3: "width"}},
            _one_photo,
            {
                "image": "(1, 3, H, W) RGB 0..1 in the network's encoding",
                "hdr": "(1, 3, H, W) RGB, 1 = the photo clips",
            },
        ),
    }
)
"""By task. A network with other inputs has an attribute `interface` of its own."""


def export_files(name: str, path: str | Path, weights: str | Path | None = None) -> list[Exported]:
    """The files of a network: one, or of a network of several parts FILE-PART.onnx for each of them.

    A network of parts has an attribute `parts`: name of a submodule -> its Interface.
    """
    parts = getattr(MODELS[name].load(), "parts", None)
    if parts is None:
        return [export_network(name, path, weights)]
    net, path = load_for_use(name, weights), Path(path)
    facts = {"network": name, "weights": str(weights or "shipped"), "paper": MODELS[name].paper}
    return [
        export_module(
            getattr(net, part), interface, path.with_name(f"{path.stem}-{part}{path.suffix}"), facts
        )
        for part, interface in parts.items()
    ]


def export_network(name: str, path: str | Path, weights: str | Path | None = None) -> Exported:
    """Write a network of `MODELS` with its weights (see `load_for_use`) as ONNX. Raises as `export_module`."""
    net = load_for_use(name, weights)
    interface = getattr(net, "interface", INTERFACES[MODELS[name].task])
    facts = {"network": name, "weights": str(weights or "shipped"), "paper": MODELS[name].paper}
    encoding = getattr(net, "encoding", "")
    return export_module(net, interface, path, facts | ({"encoding": encoding} if encoding else {}))


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
        about = {**facts, "openhdr": openhdr.__version__, **interface.meaning}
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
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # the exporter's stack traces: paths of this machine, and most of a small file
    for value, axes in zip(program.model.graph.outputs, interface.outputs.values(), strict=True):
        for axis, name in axes.items():  # else a formula of padding and cropping
            value.shape[axis] = name
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
