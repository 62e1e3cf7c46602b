#!/bin/sh
# Makes a Python virtual environment with KohakuVault, in the version that this
# project is interchangeable with unless another is named.
# Usage: venv.sh FOLDER [VERSION]
set -eu
[ -x "$1/bin/python" ] || python3 -m venv "$1"
"$1/bin/python" -c 'import kohakuvault, numpy' 2>/dev/null || "$1/bin/pip" install --quiet "kohakuvault==${2:-0.8.6}" numpy
