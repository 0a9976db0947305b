"""What openhdr is made of: the licences of all its dependencies, or a bill of materials.

    scripts/dependencies.py licences             a table; exit status 1 when the core needs more than permissive ones
    scripts/dependencies.py sbom [-o FILE]       CycloneDX 1.5, JSON, with the hashes of requirements.lock

Both look at what is installed, and follow what it declares to need, from `openhdr` with all its extras.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

LOCK = Path(__file__).parents[1] / "requirements.lock"
PERMISSIVE = re.compile(
    r"\b(MIT|BSD|0BSD|Apache|ISC|PSF|Python Software Foundation|HPND|Zlib|Unlicense|CC0|CNRI)\b",
    re.IGNORECASE,
)
STATED = {"openexr": "BSD-3-Clause (its LICENSE.md)"}  # nothing in the metadata
LOCKED = re.compile(r"^([\w.-]+)==(\S+)(.*?)(?=^[\w.-]+==|\Z)", re.MULTILINE | re.DOTALL)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed(name: str, extras: frozenset[str], found: dict[str, metadata.Distribution]) -> None:
    """Add a distribution, and what it needs on this machine, to `found`."""
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:  # of an extra that is not installed
        return
    found[canonical(name)] = distribution
    for text in distribution.requires or ():
        one = Requirement(text)
        wanted = any(one.marker is None or one.marker.evaluate({"extra": extra}) for extra in extras | {""})
        if wanted and (canonical(one.name) not in found or canonical(one.name) == "openhdr"):
            needed(one.name, frozenset(one.extras), found)


def installed(extras: frozenset[str]) -> list[metadata.Distribution]:
    """openhdr's dependencies with these extras, by name, without openhdr."""
    found: dict[str, metadata.Distribution] = {}
    needed("openhdr", extras, found)
    return [found[name] for name in sorted(found) if name != "openhdr"]


def licence(distribution: metadata.Distribution) -> str:
    """What the distribution declares: an expression, classifiers, or the first line of the old field."""
    facts = distribution.metadata
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in facts.get_all("Classifier") or ()
        if line.startswith("License ::")
    ]
    text = (facts.get("License") or STATED.get(canonical(distribution.name), "unknown")).strip()
    return facts.get("License-Expression") or ", ".join(classifiers) or text.splitlines()[0]


def hashes() -> dict[str, list[str]]:
    """SHA-256 of all files of each locked version, by `name==version`."""
    return {
        f"{canonical(name)}=={version}": re.findall(r"sha256:([0-9a-f]{64})", rest)
        for name, version, rest in LOCKED.findall(LOCK.read_text())
    }


def component(distribution: metadata.Distribution, locked: dict[str, list[str]]) -> dict:
    name, version = canonical(distribution.name), distribution.version
    found = {
        "type": "library", "name": name, "version": version, "purl": f"pkg:pypi/{name}@{version}",
        "licenses": [{"license": {"name": licence(distribution)}}],
    }  # fmt: skip
    sums = locked.get(f"{name}=={version}", [])
    return found | ({"hashes": [{"alg": "SHA-256", "content": each} for each in sums]} if sums else {})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("licences", "sbom"))
    parser.add_argument(
        "-o", "--output", type=Path, help="file of the bill of materials; standard output without"
    )
    options = parser.parse_args()
    everything = installed(frozenset(metadata.metadata("openhdr").get_all("Provides-Extra") or ()))
    if options.what == "sbom":
        facts = {
            "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
            "metadata": {"component": {"type": "application", "name": "openhdr",
                                       "version": metadata.version("openhdr"),
                                       "licenses": [{"license": {"id": "Apache-2.0"}}]}},
            "components": [component(one, hashes()) for one in everything],
        }  # fmt: skip
        text = json.dumps(facts, indent=1) + "\n"
        options.output.write_text(text) if options.output else print(text, end="")
        return 0
    core = {one.name for one in installed(frozenset())}
    bad = 0
    for one in everything:
        permissive = bool(PERMISSIVE.search(licence(one)))
        bad += one.name in core and not permissive
        print(f"{'core ' if one.name in core else 'extra'}  {one.name} {one.version}: {licence(one)}"
              + ("" if permissive else "  <- not known as permissive"))  # fmt: skip
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
