"""Reads and writes files of Parquet, Arrow and NumPy for formats_test.go.

formats.py read PROGRAM FILE prints a JSON object: for each column its type, as
the program names it, and its values. formats.py write PROGRAM FILE writes the
columns that COLUMNS has, and prints them in the same way.
"""

import base64
import datetime
import decimal
import json
import math
import sys
import uuid


def plain(v):
    """A value as JSON has it: exact, and the same for all programs."""
    if v is None or isinstance(v, (bool, str)):
        return v
    if isinstance(v, int):
        return str(v)
    if isinstance(v, float):
        return v.hex() if math.isfinite(v) else str(v)
    if isinstance(v, (bytes, bytearray)):
        return "base64 " + base64.b64encode(v).decode()
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if hasattr(v, "tolist"):
        return plain(v.tolist())
    if isinstance(v, datetime.datetime):
        if v.tzinfo:
            v = v.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return v.isoformat()
    if isinstance(v, (datetime.date, decimal.Decimal, uuid.UUID)):
        return str(v)
    raise TypeError(f"{type(v)}: {v!r}")


def of_arrow(table):
    import pyarrow as pa

    answer = {}
    for field, column in zip(table.schema, table.columns):
        t = field.type
        if isinstance(t, pa.BaseExtensionType):
            t, column = t.storage_type, pa.chunked_array([c.storage for c in column.chunks], t.storage_type)
        kind = str(t)
        if pa.types.is_timestamp(t):  # Python's times lack nanoseconds
            column = column.cast(pa.int64())
        answer[field.name] = {"type": kind, "values": [plain(v) for v in column.to_pylist()]}
    return answer


def read(program, path):
    if program == "pyarrow":
        import pyarrow.parquet as pq

        pq.read_metadata(path)
        return of_arrow(pq.read_table(path))
    if program == "statistics":
        import pyarrow.parquet as pq

        meta = pq.read_metadata(path)
        answer = {}
        for i in range(meta.num_columns):
            c = meta.row_group(0).column(i)
            s = c.statistics
            if c.path_in_schema.startswith("time"):
                continue  # Python has no time for some
            has = s is not None and s.has_min_max
            answer[c.path_in_schema] = {
                "type": f"{c.compression} {c.has_column_index} {c.has_offset_index}",
                "values": [plain(s.min), plain(s.max), plain(s.null_count)] if has else [],
            }
        return answer
    if program == "duckdb":
        import duckdb

        r = duckdb.connect()
        r.execute("SET TimeZone = 'UTC'")
        names = [(d[0], str(d[1])) for d in r.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()]
        # Times as numbers, because Python's lack nanoseconds and time zones need a package.
        ask = {"TIMESTAMP": "epoch_us", "TIMESTAMP WITH TIME ZONE": "epoch_us"}
        ask |= {t: "epoch_ns" for t in ("TIMESTAMP_NS", "TIMESTAMPTZ_NS", "TIMESTAMP_NS WITH TIME ZONE")}
        millis = {"time s": "epoch_ms", "time ms": "epoch_ms"}
        columns = ", ".join(f'{millis.get(n) or ask.get(t, "")}("{n}")' for n, t in names)
        rows = r.execute(f"SELECT {columns} FROM read_parquet(?)", [path]).fetchall()
        return {n: {"type": t, "values": [plain(row[i]) for row in rows]} for i, (n, t) in enumerate(names)}
    if program in ("arrow", "stream"):
        import pyarrow as pa

        with pa.memory_map(path) as f:
            table = (pa.ipc.open_file if program == "arrow" else pa.ipc.open_stream)(f).read_all()
            table.validate(full=True)
            return of_arrow(table)
    if program == "numpy":
        import numpy

        a = numpy.load(path, mmap_mode="r")
        return {"array": {"type": f"{a.dtype.str} {a.shape}", "values": [plain(v.reshape(-1) if a.ndim > 1 else v) for v in a]}}
    raise ValueError(program)


def columns():
    """Columns as other programs have them."""
    import pyarrow as pa

    utc = datetime.timezone.utc
    d = decimal.Decimal
    at = [datetime.datetime(2024, 2, 29, 12, 30, 1, 250000, utc), None, datetime.datetime(1969, 12, 31, 23, 59, 59, 0, utc)]
    naive = [t and t.replace(tzinfo=None) for t in at]
    return pa.table(
        {
            "bool": pa.array([True, None, False]),
            "i8": pa.array([-127, None, 127], pa.int8()),
            "i16": pa.array([-32768, 1, 32767], pa.int16()),
            "i32": pa.array([-(2**31), 1, 2**31 - 1], pa.int32()),
            "i64": pa.array([-(2**63) + 1, None, 2**63 - 1], pa.int64()),
            "u8": pa.array([0, 1, 255], pa.uint8()),
            "u16": pa.array([0, 1, 65535], pa.uint16()),
            "u32": pa.array([0, 1, 2**32 - 1], pa.uint32()),
            "u64": pa.array([0, None, 2**64 - 2], pa.uint64()),
            "f16": pa.array([0.5, None, -65504.0], pa.float16()),
            "f32": pa.array([0.5, None, math.inf], pa.float32()),
            "f64": pa.array([0.1, None, -math.inf], pa.float64()),
            "text": pa.array(["", None, "Größe 東京"]),
            "large": pa.array(["a", "b", "c" * 100], pa.large_string()),
            "words": pa.array(["x", None, "x"]).dictionary_encode(),
            "bytes": pa.array([b"", b"\x00\xff", b"abc"]),
            "fixed": pa.array([b"abc", b"\x00\x00\x00", b"xyz"], pa.binary(3)),
            "date": pa.array([datetime.date(2024, 2, 29), None, datetime.date(1969, 12, 31)]),
            "at": pa.array(at, pa.timestamp("us", "UTC")),
            "berlin": pa.array(at, pa.timestamp("ms", "Europe/Berlin")),
            "naive": pa.array(naive, pa.timestamp("us")),
            "ns": pa.array([1, None, -1], pa.timestamp("ns", "UTC")),
            "decimal": pa.array([d("1.50"), None, d("-0.05")], pa.decimal128(9, 2)),
            "wide": pa.array([d("1.50"), None, d("-123456789012345678901234567890.05")], pa.decimal128(38, 2)),
            "vec": pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], pa.list_(pa.float32(), 2)),
            "lists": pa.array([[1], [], [2, 3]], pa.list_(pa.int64())),
            "gappy": pa.array([[1, None], None, []], pa.list_(pa.int64())),
            "struct": pa.array([{"a": 1, "b": ["x", None]}, None, {"a": None, "b": None}]),
            "deep": pa.array([[[1], []], [], [[2, 3], None]], pa.list_(pa.list_(pa.int32()))),
            "map": pa.array([[("k", 1), ("l", None)], None, []], pa.map_(pa.string(), pa.int64())),
            "null": pa.array([None, None, None]),
        }
    )


def write(program, path):
    if program.startswith("numpy "):  # in the other order of bytes
        import numpy

        a = numpy.load(program[6:])
        numpy.save(path, a.astype(a.dtype.newbyteorder(">")))
        return {"array": {"type": str(a.dtype), "values": [plain(v.reshape(-1) if a.ndim > 1 else v) for v in a]}}
    import pyarrow as pa

    table = columns()
    kind, _, how = program.partition(" ")
    if kind == "pyarrow":
        import pyarrow.parquet as pq

        options = {
            "": {},
            "v2": dict(data_page_version="2.0", compression="zstd", row_group_size=2),
            "plain": dict(use_dictionary=False, compression="gzip", store_schema=False),
            "delta": dict(
                use_dictionary=False,
                compression="lz4",
                column_encoding={
                    "i32": "DELTA_BINARY_PACKED",
                    "i64": "DELTA_BINARY_PACKED",
                    "text": "DELTA_BYTE_ARRAY",
                    "bytes": "DELTA_LENGTH_BYTE_ARRAY",
                    "f64": "BYTE_STREAM_SPLIT",
                    "f32": "BYTE_STREAM_SPLIT",
                    "fixed": "BYTE_STREAM_SPLIT",
                },
            ),
            "int96": dict(use_deprecated_int96_timestamps=True, compression="none"),
        }[how]
        if how == "int96":
            table = table.select(["ns", "f64"])  # all times become ns
        pq.write_table(table, path, **options)
    elif kind == "duckdb":
        import duckdb

        table = table.drop_columns(["null", "f16"])
        i = table.schema.get_field_index("berlin")  # DuckDB has no such times in ms
        table = table.set_column(i, "berlin", table["berlin"].cast(pa.timestamp("us", "UTC")))
        r = duckdb.connect()
        r.execute("SET TimeZone = 'UTC'")
        r.register("t", table)
        r.execute(f"COPY t TO '{path}' (FORMAT parquet, {how})")
    elif kind in ("arrow", "stream"):
        if how == "views":
            table = pa.table({n: c.cast({pa.string(): pa.string_view(), pa.binary(): pa.binary_view()}[c.type])
                              for n, c in zip(table.schema.names, table.columns) if c.type in (pa.string(), pa.binary())}
                             | {"long": pa.array(["x" * 13, None, "y" * 100], pa.string_view())})
        options = pa.ipc.IpcWriteOptions(compression=how if how in ("zstd", "lz4") else None)
        with pa.OSFile(path, "wb") as f:
            with (pa.ipc.new_file if kind == "arrow" else pa.ipc.new_stream)(f, table.schema, options=options) as w:
                w.write_table(table, max_chunksize=2)
    return of_arrow(table)


if __name__ == "__main__":
    json.dump({"read": read, "write": write}[sys.argv[1]](*sys.argv[2:]), sys.stdout)
