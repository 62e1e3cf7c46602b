"""Appends to a column, and makes checkpoints and a shorter file, until its standard
input ends. Usage: appends.py PATH

It prints how many elements it has appended, each time that it has.
"""

import sys
import threading

from kohakuvault import ColumnVault, KVault

path = sys.argv[1]
vault = ColumnVault(path, min_chunk_bytes=131072, max_chunk_bytes=1048576)
pairs = KVault(path)
vault.create_column("numbers", "i64")
column = vault["numbers"]
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
made = 0
while not ended.is_set():
    for _ in range(20):
        column.extend(list(range(made, made + 500)))
        made += 500
        print(made, flush=True)
    pairs["large"] = bytes(1_000_000)
    pairs.checkpoint()
    del pairs["large"]
    pairs.optimize()  # which is a VACUUM
