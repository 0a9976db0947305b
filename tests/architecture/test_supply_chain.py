"""Locked dependencies have hashes and the versions of constraints.txt; the bill of materials lists them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "dependencies.py"


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(text: str) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {canonical(name): version for name, version in found}


def test_the_lock_has_every_core_dependency_in_the_version_of_the_constraints() -> None:
    facts = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {canonical(re.match(r"[\w.-]+", text)[0]) for text in facts["project"]["dependencies"]}
    locked = pinned((ROOT / "requirements.lock").read_text())
    assert wanted <= locked.keys()
    constraints = pinned((ROOT / "constraints.txt").read_text())
    assert locked.items() <= constraints.items()


def test_every_locked_version_has_a_hash() -> None:
    entries = re.split(r"^(?=[\w.-]+==)", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)[1:]
    assert entries and all("--hash=sha256:" in entry for entry in entries)


def test_the_bill_of_materials_lists_dependencies_with_hashes() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "sbom"], capture_output=True, text=True, check=True)
    components = {one["name"]: one for one in json.loads(done.stdout)["components"]}
    assert {"numpy", "pillow", "openexr"} <= components.keys()
    assert components["pillow"]["purl"] == f"pkg:pypi/pillow@{components['pillow']['version']}"
    assert all(one["licenses"][0]["license"]["name"] for one in components.values())


def test_the_core_needs_permissive_licences_only() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "licences"], capture_output=True, text=True)
    assert done.returncode == 0, [
        line for line in done.stdout.splitlines() if line.startswith("core") and "<-" in line
    ]
