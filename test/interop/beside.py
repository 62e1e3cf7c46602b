"""Keeps a vault open while another program gives its columns a meaning, and
goes on with what it has open. Usage: beside.py PATH

It prints a line when it has the vault open, and waits for one. Then it appends,
creates, ensures and deletes, and prints what it sees as JSON.
"""

import json
import sys

from kohakuvault import ColumnVault, KVault

path = sys.argv[1]
vault = ColumnVault(path, max_chunk_bytes=16777212)
pairs = KVault(path)
old = "old of 0.8.6" in [row[0] for row in vault.list_columns()]  # 1.x sees only its own columns
if not old:
    vault.create_column("of 1.x", "i64")
name = "old of 0.8.6" if old else "of 1.x"
column = vault[name]
column.append(1)
pairs["before"] = b"1"
print("open", flush=True)
sys.stdin.readline()

column.append(2)
column.extend([3, 4])
column[0] = 5
pairs["after"] = b"2"
vault.create_column("gone", "f64")
vault["gone"].append(0.5)
vault.delete_column("gone")
vault.ensure(name, "i64").append(6)
vault.ensure("ensured", "f64").append(1.5)
vault.create_column("text", "str")
vault["text"].extend(["a", ""])
seen = {name: list(vault[name][0 : len(vault[name])])}
if old:
    for other in ["at", "day", "number", "float", "words", "doc"]:
        c = vault[other]
        seen[other] = [None if v is None else str(v) for v in c[0 : len(c)]]
    vault["at"].append(2_000_000)
    vault["words"].append("\x00")
    vault["float"].append(float("nan"))
    vault["doc"].append(None)
    vault["number"][0] = -(2**63)
print(json.dumps(seen), flush=True)
