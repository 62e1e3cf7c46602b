#!/bin/sh
# Makes a Python virtual environment with the version of KohakuVault that this
# project is interchangeable with. Usage: venv.sh FOLDER
set -eu
[ -x "$1/bin/python" ] || python3 -m venv "$1"
"$1/bin/python" -c 'import kohakuvault, numpy' 2>/dev/null || "$1/bin/pip" install --quiet kohakuvault==0.8.6 numpy
