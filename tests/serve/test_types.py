"""The page's modules are typed by their comments, as TypeScript reads them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def test_types_hold() -> None:
    compiler = shutil.which("tsc")
    if compiler is None:
        pytest.skip("needs TypeScript: npm install --global typescript")
    project = Path(__file__).with_name("tsconfig.json")
    done = subprocess.run([compiler, "-p", str(project)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
