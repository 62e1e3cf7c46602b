#!/usr/bin/env bash
# Makes a Python environment with the readers that the tests of feed ask for, and
# fetches what Spark needs to read Iceberg: venv.sh DIR
# Afterwards DIR/bin/python is COLUMNVAULT_PYTHON_ICEBERG, and
# DIR/iceberg-spark-runtime.jar is COLUMNVAULT_ICEBERG_JAR, if it could be had.
# Fails if the environment cannot be made.
set -euo pipefail
dir=$1
python3 -m venv "$dir"
pip() { "$dir/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
pip pyiceberg==0.12.0 pyarrow==26.0.1 duckdb==1.5.5 duckdb-extension-iceberg==1.5.5 duckdb-extension-avro==1.5.5
if ! command -v java >/dev/null || ! command -v mvn >/dev/null; then
	echo "there is no Java with Maven, so Spark is left out" >&2
	exit 0
fi
jar=org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.2
pip setuptools pyspark==3.5.7 &&
	mvn -q -B dependency:copy -Dartifact="$jar" -DoutputDirectory="$dir" -Dmdep.stripVersion=true &&
	mv "$dir/iceberg-spark-runtime-3.5_2.12.jar" "$dir/iceberg-spark-runtime.jar" ||
	echo "Spark could not be had" >&2
