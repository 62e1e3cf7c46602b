#!/bin/sh
# Makes a Python virtual environment with the programs whose files the formats
# of exchange are compared with.
# Usage: venv_formats.sh FOLDER
set -eu
[ -x "$1/bin/python" ] || python3 -m venv "$1"
"$1/bin/python" -c 'import duckdb, numpy, pyarrow' 2>/dev/null || "$1/bin/pip" install --quiet duckdb numpy pyarrow
