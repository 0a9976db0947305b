#!/bin/sh
# Build sdist and wheel into dist/, install the wheel into a clean environment and run the demo from it.
# Publishes nothing: `dist/` is what a release uploads, after CHANGELOG.md names the version and its date.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export PIP_CONSTRAINT="$PWD/constraints.txt" PIP_BUILD_CONSTRAINT="$PWD/constraints.txt" PIP_DISABLE_PIP_VERSION_CHECK=1
rm -rf dist
"$python" -m venv "$work/build"
"$work/build/bin/python" -m pip install --quiet hatchling
"$work/build/bin/python" -m hatchling build -d dist >/dev/null
version=$("$work/build/bin/python" -m hatchling version)
grep -q "^## $version" CHANGELOG.md || { echo "release: CHANGELOG.md says nothing of $version" >&2; exit 1; }

"$python" -m venv "$work/clean"
"$work/clean/bin/python" -m pip install --quiet "dist/openhdr-$version-py3-none-any.whl"
cd "$work"
test "$(clean/bin/openhdr --version)" = "openhdr $version"
clean/bin/openhdr demo -o "$work/demo"
clean/bin/python -c 'import openhdr, pathlib; assert (pathlib.Path(openhdr.__file__).parent / "py.typed").is_file()'
echo "release: openhdr $version is in dist/, installs into a clean environment and runs its demo"
