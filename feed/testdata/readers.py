"""Reads a table and compares it with what a test says of it.

    readers.py pyiceberg|duckdb DIR EXPECTED

EXPECTED is JSON: columns, a list of {name, type, required, values}, in which
values are as in values_test.go. The order of rows does not count.
"""

import datetime
import json
import struct
import sys

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def plain(value):
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return "f" + struct.pack(">d", value).hex()
    if isinstance(value, str):
        return "s" + value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "b" + bytes(value).hex()
    if isinstance(value, datetime.datetime):
        return (value - EPOCH) // datetime.timedelta(microseconds=1)
    if isinstance(value, datetime.date):
        return value.toordinal() - datetime.date(1970, 1, 1).toordinal()
    if isinstance(value, dict):
        return [plain(v) for v in value.values()]
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    raise TypeError(type(value))


def from_arrow(column):
    """Times and dates as numbers, which Python's own cannot hold all of."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        if column.type.tz is None:
            raise TypeError("a time without a zone")
        return column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_pylist()
    if pa.types.is_date(column.type):
        return column.cast(pa.int32()).to_pylist()
    return [plain(v) for v in column.to_pylist()]


def pyiceberg(directory, wanted):
    from pyiceberg.table import StaticTable

    with open(directory + "/metadata/version-hint.text") as hint:
        table = StaticTable.from_metadata("%s/metadata/v%s.metadata.json" % (directory, hint.read()))
    for field, want in zip(table.schema().fields, wanted, strict=True):
        have = (field.name, str(field.field_type), field.required)
        if have != (want["name"], want["type"], want["required"]):
            sys.exit("the table has %s, want %s" % (have, want["name"]))
    return table.scan().to_arrow()


def duckdb(directory, wanted):
    import duckdb

    db = duckdb.connect()
    try:
        from duckdb_extension_iceberg import __path__ as where
        import glob
        for name in ("avro", "iceberg"):
            found = glob.glob("%s/../duckdb_extension_%s/extensions/*/%s.duckdb_extension" % (list(where)[0], name, name))
            db.execute("LOAD '%s'" % found[0])
    except (ImportError, IndexError, duckdb.Error) as error:
        print("no extension:", error)
        sys.exit(77)
    db.execute("SET TimeZone='UTC'")
    return db.execute("SELECT * FROM iceberg_scan('%s')" % directory.replace("'", "''")).to_arrow_table()


def main(reader, directory, expected):
    with open(expected) as f:
        wanted = json.load(f)["columns"]
    table = {"pyiceberg": pyiceberg, "duckdb": duckdb}[reader](directory, wanted)
    if table.column_names != [w["name"] for w in wanted]:
        sys.exit("the columns are %s" % table.column_names)
    count = 0
    for want in wanted:
        have = sorted(map(json.dumps, from_arrow(table[want["name"]])))
        values = sorted(map(json.dumps, want["values"]))
        if have != values:
            other = [pair for pair in zip(have, values) if pair[0] != pair[1]][:3]
            sys.exit("%s: %d values of %d, %s" % (want["name"], len(have), len(values), other))
        count += len(values)
    print("%d values of %d columns are the same" % (count, len(wanted)))


if __name__ == "__main__":
    main(*sys.argv[1:])
