# The few commands that people and CI share. Needs make and Python 3.11 or newer; everything else goes into .venv.
#
#   make demo     install the core (no torch) and run the main job: a bracket merged into an HDR image
#   make test     install everything and run the tests       make test ARGS="-m 'not slow' tests/io"
#   make setup    only install everything
#   make check    lint, format, layers, types
#   make docs     write the generated pages again
#   make fuzz     damage files of every format and read them, for an hour    make fuzz ARGS="--seconds 60 --only jpeg"
#   make site     the documentation as a site, in site/; fails on a dead link
#   make release  sdist and wheel in dist/, tried in a clean environment
#
# Nothing is installed again while .venv is newer than pyproject.toml and constraints.txt.

PYTHON ?= python3
ARGS ?=
CORE := .venv/.core-is-current
FULL := .venv/.full-is-current

.PHONY: demo test setup check docs fuzz site release

demo: $(CORE)
	.venv/bin/openhdr demo $(ARGS)

test: $(FULL)
	.venv/bin/python -m pytest $(ARGS)

setup: $(FULL)

check: $(FULL)
	scripts/check.sh

docs: $(FULL)
	.venv/bin/python scripts/make_reference.py
	.venv/bin/python scripts/make_benchmark_pages.py

fuzz: $(FULL)
	.venv/bin/python scripts/fuzz.py --seconds 3600 --seed $$(date +%j) $(ARGS)

site: $(FULL)
	.venv/bin/python scripts/make_site.py

release:
	PYTHON=$(PYTHON) scripts/release.sh

$(CORE): pyproject.toml constraints.txt
	PYTHON=$(PYTHON) scripts/setup.sh core

$(FULL): pyproject.toml constraints.txt
	PYTHON=$(PYTHON) scripts/setup.sh full
