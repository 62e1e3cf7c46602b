"""Does a task on a list of KohakuVault, and prints a line of JSON for each job.

Usage: agent.py TASK, where TASK is JSON. The jobs, their names and their values
are those of jobs.go and values.go.
"""

import json
import os
import random
import re
import resource
import struct
import sys
import time

import numpy
from kohakuvault import ColumnVault

task = json.loads(sys.argv[1])
kind, n, calls, budget = task["Kind"], task["N"], task["Calls"], task["Budget"] / 1e9
jobs = re.compile(task["Jobs"])
path = os.path.join(task["Dir"], "vault.db")
mask = (1 << 64) - 1
words = "amber birch cobalt dune ember fjord granite harbor iris juniper kelp lichen".split()


def mix(i):
    x = (i + 0x9E3779B97F4A7C15) & mask
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & mask
    x = (x ^ x >> 27) * 0x94D049BB133111EB & mask
    return x ^ x >> 31


def record(i):
    x = mix(i)
    return {"id": i, "name": words[x % 12], "value": (x >> 40) / 16, "count": (x >> 8) % 1000, "good": x & 1 == 0}


def noise(i, size):
    return (random.Random(i).randbytes(size - 8) + struct.pack("<q", i))[:size]


def text(i):
    x = mix(i)
    return f"{words[x % 12]} {words[x // 12 % 12]} {x // 144 % 1000}"


# the dtype, an element by its position, and one that was nowhere before
dtype, at, changed, sizes = {
    "i64": ("i64", lambda i: mix(i) % 1_000_000, lambda i, size: 1_000_000 + i, [8]),
    "f64": ("f64", lambda i: (mix(i) >> 11) / (1 << 53), lambda i, size: 1.5 + i, [8]),
    "100 B": ("bytes", lambda i: noise(i, 100), lambda i, size: noise(-1 - i, size), [100, 60, 130]),
    "strings": ("str", text, lambda i, size: str(i).zfill(size // 6), [100, 60, 130]),
    "records": ("msgpack", record, lambda i, size: {"id": i, "name": "changed", "value": i + 0.25, "count": i, "good": True}, [100]),
}.get(kind, (None, None, None, None))


def put(job, unit=None, data=None, **more):
    if jobs.search(job):
        print(json.dumps({"job": job, "unit": unit, "data": data, **more}), flush=True)


def ns(job, *seconds, **more):
    put(job, "ns", [s * 1e9 for s in seconds], **more)


def timed(fn):
    start = time.perf_counter()
    fn()
    return time.perf_counter() - start


def several(job, times, fn, each=False):
    """Measures calls until there are enough or the time is over."""
    if not jobs.search(job):
        return 0
    all, begin = [], time.perf_counter()
    try:
        while len(all) < times and (not all or time.perf_counter() - begin < budget):
            all.append(timed(lambda: fn(len(all))))
    except NotImplementedError:
        return len(all)
    except Exception as e:
        put(job, error=f"{type(e).__name__}: {e}")
        return len(all)
    ns(job, *all, each=each)
    return len(all)


def single(job, times, fn):
    return several(job, times, fn, True)


def most_memory():
    """The most that the process has had. getrusage also counts what it had
    before it became Python."""
    try:
        with open("/proc/self/status") as f:
            return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


begun = most_memory()


def memory(job):
    put(job, "MB", [(most_memory() - begun) / 1e6])


def size(job):
    put(job, "MB", [sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(task["Dir"]) for f in files) / 1e6])


def open_list():
    vault = ColumnVault(path)
    return vault, vault.ensure("x", dtype)


def close(vault):
    """0.8.6 closes when nothing refers to the vault any more."""
    if hasattr(vault, "close"):
        vault.close()


def numbers(values):
    return numpy.array(values, dtype=numpy.int64 if kind == "i64" else numpy.float64)


def write():
    values = [at(i) for i in range(n)]
    vault, column = open_list()
    if hasattr(column, "append_array") and kind in ("i64", "f64"):
        values = numbers(values)
        append = column.append_array
    else:
        append = column.extend
    seconds = timed(lambda: append(values))
    ns("append all", seconds)

    def end():
        nonlocal vault, column, append
        close(vault)
        vault = column = append = None

    ns("append all, close", seconds + timed(end))
    memory("append all, peak memory")
    size("size after that")


def read():
    chance = random.Random(1)

    def one(_):
        vault, column = open_list()
        column[chance.randrange(n)]
        close(vault)

    several("open, read one, close", 20, one)
    vault, column = open_list()
    if hasattr(column, "read_array") and kind in ("i64", "f64"):
        all_of = lambda _=None: column.read_array(copy=True)
    else:
        all_of = lambda _=None: column[0:n]
    values = None

    def first(_):
        nonlocal values
        values = all_of()

    several("read all, first", 1, first)
    if values is not None:
        for i in range(0, n, 1 + n // 1000):
            if values[i] != at(i):
                raise AssertionError(f"element {i}: {values[i]}, want {at(i)}")
    several("read all, again", 5, all_of)
    memory("read all, peak memory")
    if kind in ("i64", "f64"):
        several("sum", 5, lambda _: sum(all_of()) if isinstance(values, list) else all_of().sum())
    close(vault)


def at_random():
    chance, span = random.Random(1), min(100, n)
    vault, column = open_list()
    single(f"at, the first {calls // 2:,}", calls // 2, lambda _: column[chance.randrange(n)])
    single("at", calls, lambda _: column[chance.randrange(n)])

    def part(_):
        i = chance.randrange(n - span + 1)
        return column[i : i + span]

    single("slice of 100", calls, part)
    memory("reads of chance, peak memory")
    close(vault)


def edit():
    chance, turns, length, expect = random.Random(1), 0, n, {}
    vault, column = open_list()
    middle = n // 2
    try:
        length += single("insert 1 in the middle", 5, lambda i: column.insert(middle, changed(i, sizes[0])))
        length -= single("delete 1 in the middle", 5, lambda _: column.__delitem__(middle))
    finally:
        length = len(column)
    single("append 1", calls, lambda i: column.append(at(i)))
    length = len(column)
    for job, bytes in zip(["set 1", "set 1, smaller", "set 1, larger"], sizes):

        def put_one(_):
            nonlocal turns
            turns += 1
            i, value = chance.randrange(n), changed(turns, bytes)
            column[i] = value
            expect[i] = value

        single(job, calls, put_one)
    many = [at(i) for i in range(min(200_000, n))]
    job = "append 1, held or in one transaction"
    if jobs.search(job):
        start = time.perf_counter()
        column.enable_cache()
        for value in many:
            column.append(value)
        ns(job, (time.perf_counter() - start) / len(many))
        column.flush_cache()
        column.disable_cache()
        ns(job + ", and committed", (time.perf_counter() - start) / len(many))
        length += len(many)

    def end():
        nonlocal vault, column
        close(vault)
        vault = column = None

    ns("close after the edits", timed(end))
    memory("edits, peak memory")
    size("size after the edits")
    vault, column = open_list()
    if len(column) != length:
        raise AssertionError(f"{len(column)} elements after the edits, want {length}")
    for i in list(expect)[:100]:
        if column[i] != expect[i]:
            raise AssertionError(f"element {i} is {column[i]!r} after the edits, want {expect[i]!r}")


def kill():
    vault, column = open_list()
    told = os.open(os.path.normpath(task["Dir"]) + ".acknowledged", os.O_CREAT | os.O_WRONLY, 0o666)
    for i in range(n):
        column.append(at(i))
        os.pwrite(told, struct.pack("<q", i + 1), 0)


def count():
    with open(os.path.normpath(task["Dir"]) + ".acknowledged", "rb") as f:
        told = struct.unpack("<q", f.read(8))[0]
    vault, column = open_list()
    length = len(column)
    if list(column[0:length]) != [at(i) for i in range(length)]:
        raise AssertionError(f"some of {length} elements are not those that were appended")
    put("acknowledged when killed", "elements", [told])
    put("of them lost", "elements", [max(0, told - length)])


if dtype is not None:  # else there is no such list
    {"write": write, "read": read, "chance": at_random, "edit": edit, "kill": kill, "count": count}[task["Phase"]]()
