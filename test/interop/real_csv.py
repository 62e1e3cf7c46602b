"""Compares CSV files with what columnvault made of them, cell by cell.

The argument is a folder with N.csv, the file, N.jsonl, the rows of its columns
as they were exported, and N.json: its name, delimiter, columns and types. The
other side is pandas, and for the names of columns Python's csv module.

Every difference that docs/import.md does not explain is a line of the output.
"""

import csv
import glob
import io
import json
import sys

import pandas

shown = {}


def differ(what, *details):
    """Prints the first few differences of each sort."""
    shown[what] = shown.get(what, 0) + 1
    if shown[what] <= 5:
        print(what, *map(str, details))


def check_names(meta, text):
    """The names are those of the header without the space around them, but for
    empty and repeated ones, which csv reads as they are and pandas renames."""
    header = next(csv.reader(io.StringIO(text, newline=""), delimiter=meta["delimiter"]))
    seen = set()
    for name, got in zip(header, meta["names"], strict=True):
        if name.strip() and name.strip() not in seen and name.strip() != got:
            differ("name", meta["file"], repr(name), repr(got))
        seen.add(name.strip())


def check_type(meta, column, ours, theirs, values):
    """pandas makes a column of true and false another type than one of text, floats
    of integers beside which values are missing, and an integer of -0."""
    if ours == "f64" and theirs.dtype.kind == "i" and any(str(v) == "-0.0" for v in values):
        return
    kinds = {
        "i64": "i", "i64 null": "f", "f64": "f", "f64 null": "f",
        "str:utf8": "Ob", "str:utf8 null": "O",
    }
    if theirs.dtype.kind not in kinds.get(ours, "O"):
        differ("type", meta["file"], column, ours, theirs.dtype)


def same(ours, kind, theirs):
    """Compares two values that are there."""
    if kind.startswith("i64 date") or kind.startswith("i64 time"):
        instant = pandas.Timestamp(theirs)
        if instant.tz is None:  # it counts as UTC
            instant = instant.tz_localize("UTC")
        moment = pandas.Timestamp(ours)
        if moment.tz is None:
            moment = moment.tz_localize("UTC")
        return moment == instant
    if kind.startswith("str"):
        # FALSE and TRUE stay text, as they stand in the file.
        return ours == theirs or ours.lower() == str(theirs).lower() in ("true", "false")
    return float(ours) == theirs and (kind.startswith("f64") or int(theirs) == ours)


def check(meta, text, rows):
    check_names(meta, text)
    table = pandas.read_csv(io.StringIO(text, newline=""), sep=meta["delimiter"], index_col=False,
                            skip_blank_lines=len(meta["names"]) > 1)
    if len(table) != len(rows):
        differ("rows", meta["file"], len(table), len(rows))
        return 0
    for i, (name, kind) in enumerate(zip(meta["names"], meta["types"], strict=True)):
        column = table.iloc[:, i]
        check_type(meta, name, kind, column, [row[name] for row in rows])
        for n, (row, theirs) in enumerate(zip(rows, column.tolist(), strict=True)):
            ours = row[name]
            if (ours is None) != bool(pandas.isna(theirs)):
                differ("gap", meta["file"], name, n, repr(ours), repr(theirs))
            elif ours is not None and not same(ours, kind, theirs):
                differ("value", meta["file"], name, n, repr(ours), repr(theirs))
    return len(rows) * len(meta["names"])


cells = 0
for path in sorted(glob.glob(sys.argv[1] + "/*.json")):
    base = path.removesuffix(".json")
    with open(path, encoding="utf-8") as f:
        meta = json.load(f)
    with open(base + ".csv", encoding="utf-8-sig", newline="") as f:
        text = f.read()
    with open(base + ".jsonl", encoding="utf-8", newline="\n") as f:
        rows = [json.loads(line) for line in f]
    cells += check(meta, text, rows)
for what, count in shown.items():
    print(f"{count} of the sort {what}")
print(f"{cells} cells", file=sys.stderr)
