"""Networks that come with the package as ONNX files and run without PyTorch."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

import onnxruntime

from openhdr.core.errors import FileError


@cache
def packaged_network(package: str, name: str, sha256: str, threads: int = 1) -> onnxruntime.InferenceSession:
    """The network of a package's file, checked before it is run. Read when it is first needed.

    name: of the file within the package, with slashes. threads: that one run of it uses. Raises FileError where it is
    missing or damaged.
    """
    file = resources.files(package).joinpath(*name.split("/"))
    try:
        content = file.read_bytes()
    except OSError as error:
        raise FileError(str(file), f"cannot be read ({error.strerror})", "install openhdr again") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise FileError(str(file), "is damaged (its SHA-256 differs)", "install openhdr again")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
