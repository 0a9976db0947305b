#!/bin/sh
# Make or update .venv: `setup.sh core` (what merging needs, no torch) or `setup.sh full` (everything, with tests).
# make calls it when the stamp it leaves is older than pyproject.toml or constraints.txt.
set -eu
cd "$(dirname "$0")/.."
level=$1
python=${PYTHON:-python3}

if [ ! -x .venv/bin/python ]; then
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        echo "setup: openhdr needs Python 3.11 or newer as '$python'; name another with: make PYTHON=python3.12 ..." >&2
        exit 2
    fi
    if ! "$python" -m venv .venv; then
        rm -rf .venv
        echo "setup: '$python' cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2
        exit 2
    fi
fi

# the same exact versions for what is installed and, in whichever way this pip knows, for what builds openhdr
export PIP_CONSTRAINT="$PWD/constraints.txt" PIP_BUILD_CONSTRAINT="$PWD/constraints.txt" PIP_DISABLE_PIP_VERSION_CHECK=1
case $level in
    core) echo "setup: installing openhdr into .venv, about 400 MB" >&2
          .venv/bin/python -m pip install --quiet --editable . ;;
    full) echo "setup: installing openhdr with networks and test tools into .venv, 2 GB or more, some minutes" >&2
          .venv/bin/python -m pip install --quiet --editable '.[all,test,docs]' 'torch==2.13.0'
          touch .venv/.full-is-current ;;
    *) echo "setup: expected 'core' or 'full', got '$level'" >&2; exit 2 ;;
esac
touch .venv/.core-is-current
