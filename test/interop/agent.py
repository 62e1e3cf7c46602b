"""Does on a vault what it is told on standard input, with KohakuVault itself.

A request is a line of JSON: {"op": ..., "path": ..., "name": ..., "dtype": ...,
"values": [...], "i": ..., "j": ...}; the answer is {"values": [...]} or
{"error": "..."}. Bytes travel as hexadecimal text. Every request opens the file
anew, because 0.8.6 remembers lengths in its handles.

The operations that begin with kv are those of the key-value table. Their values
are a key in hexadecimal and, to put, a value with its type, as tag makes it.
"""

import json
import struct
import sys

import numpy
from kohakuvault import Cbor, ColumnVault, Json, KVault, MsgPack


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


def tag(value):
    """Makes a value that says its type: a name and what JSON can carry."""
    if isinstance(value, bool):
        return ["bool", value]
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    if isinstance(value, int):
        return ["int", str(value)]
    if isinstance(value, float):
        return ["float", struct.pack(">d", value).hex()]
    if isinstance(value, str):
        return ["text", value]
    if isinstance(value, numpy.ndarray):
        return ["array " + value.dtype.name, value.tolist()]
    return ["model", value]


def untag(kind, value):
    if kind == "bytes":
        return bytes.fromhex(value)
    if kind == "int":
        return int(value)
    if kind == "float":
        return struct.unpack(">d", bytes.fromhex(value))[0]
    if kind.startswith("array "):
        return numpy.array(value, dtype=kind.removeprefix("array "))
    if kind == "json text":
        return Json(json.loads(value))
    wrap = {"json": Json, "msgpack": MsgPack, "cbor": Cbor}.get(kind)
    return wrap(value) if wrap else value


def run_kv(req):
    table = KVault(req["path"])
    try:
        values = req.get("values") or []
        key = bytes.fromhex(values[0]) if values else None
        if req["op"] == "kvlist":
            return [[k.hex(), tag(table[k])] for k in table.keys()]
        if req["op"] == "kvput":
            table[key] = untag(*values[1])
            return []
        if req["op"] == "kvget":
            return [tag(table[key])]
        if req["op"] == "kvdelete":
            return [table.delete(key)]
        raise ValueError("unknown operation " + req["op"])
    finally:
        table.close()


for line in sys.stdin:
    try:
        request = json.loads(line)
        answer = {"values": (run_kv if request["op"].startswith("kv") else run)(request)}
    except BaseException as e:  # the package's Rust half panics past Exception
        answer = {"error": type(e).__name__ + ": " + str(e)}
    print(json.dumps(answer), flush=True)
