"""Does on a vault what it is told on standard input, with KohakuVault itself.

A request is a line of JSON: {"op": ..., "path": ..., "name": ..., "dtype": ...,
"values": [...], "i": ..., "j": ...}; the answer is {"values": [...]} or
{"error": "..."}. Bytes travel as hexadecimal text. Every request opens the file
anew, because 0.8.6 remembers lengths in its handles.
"""

import json
import sys

from kohakuvault import ColumnVault


def decode(dtype, value):
    return bytes.fromhex(value) if dtype.startswith("bytes") else value


def encode(value):
    if isinstance(value, bytes):
        return value.hex()
    if hasattr(value, "tolist"):
        return value.tolist()
    return value


def run(req):
    vault = ColumnVault(req["path"], min_chunk_bytes=req.get("min", 131072), max_chunk_bytes=req.get("max", 16777216))
    op, name, dtype = req["op"], req["name"], req["dtype"]
    if op == "list":
        return [list(row) for row in vault.list_columns()]
    if op == "create":
        vault.create_column(name, dtype)
        return []
    column = vault[name]
    values = [decode(dtype, v) for v in req.get("values") or []]
    i, j = req.get("i", 0), req.get("j", 0)
    if op == "read":
        whole = [encode(v) for v in column[0 : len(column)]]
        single = [encode(column[k]) for k in range(0, len(column), 1 + len(column) // 50)]
        if single != whole[:: 1 + len(column) // 50]:
            raise AssertionError("elements differ from the slice")
        return whole
    if op == "append":
        for value in values:
            column.append(value)
    elif op == "extend":
        column.extend(values)
    elif op == "set":
        column[i] = values[0]
    elif op == "setslice":
        column[i:j] = values
    elif op == "insert":
        column.insert(i, values[0])
    elif op == "delete":
        del column[i]
    elif op == "clear":
        column.clear()
    else:
        raise ValueError("unknown operation " + op)
    return []


for line in sys.stdin:
    try:
        answer = {"values": run(json.loads(line))}
    except BaseException as e:  # the package's Rust half panics past Exception
        answer = {"error": type(e).__name__ + ": " + str(e)}
    print(json.dumps(answer), flush=True)
