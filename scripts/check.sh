#!/bin/sh
# Lint, format, layers and types; changes nothing. Needs the full environment (make setup).
set -u
cd "$(dirname "$0")/.."
failed=0
.venv/bin/ruff check . || failed=1
.venv/bin/ruff format --check . || failed=1
.venv/bin/lint-imports --no-logo || failed=1
.venv/bin/mypy || failed=1
exit $failed
