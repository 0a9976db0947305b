"""Networks of the package are checked before they run."""

from __future__ import annotations

import hashlib

import pytest

from openhdr.core import network_file
from openhdr.core.errors import FileError
from openhdr.core.network_file import packaged_network


def test_damaged_and_missing_networks_are_refused(tmp_path, monkeypatch) -> None:
    (tmp_path / "one.onnx").write_bytes(b"a network, but for one bit")
    monkeypatch.setattr(network_file.resources, "files", lambda package: tmp_path)
    with pytest.raises(FileError, match="damaged"):
        packaged_network("anywhere", "one.onnx", hashlib.sha256(b"a network").hexdigest())
    with pytest.raises(FileError, match="cannot be read"):
        packaged_network("anywhere", "other.onnx", "")
