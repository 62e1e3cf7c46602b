"""A cluster of Spark that answers questions about a table.

    spark.py DIR < questions > answers

Questions and answers are lines of JSON. {"do": "ask", "from": A, "to": B} gives
count, sum, least and greatest of n, the number and the sum of the rows with
A <= n < B, and the schema. {"do": "kill"} asks the same while one of the
executors is killed.
"""

import json
import os
import signal
import sys
import threading
import time

from pyspark.sql import SparkSession, functions as f

directory = sys.argv[1]
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what others print is no answer

spark = (
    SparkSession.builder.master("local-cluster[2,1,1024]").appName("feed")
    .config("spark.jars", os.environ["COLUMNVAULT_ICEBERG_JAR"])
    .config("spark.executor.memory", "1g").config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
    .config("spark.sql.shuffle.partitions", "4").config("spark.sql.session.timeZone", "UTC")
    .config("spark.task.maxFailures", "8").config("spark.worker.cleanup.enabled", "true")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def table():
    # Each file is a task of its own, so that both executors have something to do.
    return spark.read.format("iceberg").option("split-size", 1 << 20).load(directory)


def numbers(rows):
    return list(rows.agg(f.count("*"), f.sum("n"), f.min("n"), f.max("n")).collect()[0])


def ask(question):
    rows = table()
    part = rows.where((f.col("n") >= question["from"]) & (f.col("n") < question["to"]))
    return {"all": numbers(rows), "part": numbers(part), "schema": rows.schema.simpleString(),
            "tasks": rows.rdd.getNumPartitions()}


def executors():
    """The processes of executors that descend from this one."""
    parents, found = {}, []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name) as stat:
                parents[int(name)] = int(stat.read().rpartition(")")[2].split()[1])
            with open("/proc/%s/cmdline" % name, "rb") as line:
                if b"CoarseGrainedExecutorBackend" in line.read():
                    found.append(int(name))
        except OSError:
            continue

    def ours(pid):
        while pid in parents and pid != os.getpid():
            pid = parents[pid]
        return pid == os.getpid()

    return [pid for pid in found if ours(pid)]


def kill(question):
    before = executors()
    slow = table().where(f.expr("case when n % 10 = 0 then reflect('java.lang.Thread', 'sleep', 0L, 300000) else '' end is not null"))
    answer, failure = [], []

    def query():
        try:
            answer.append(numbers(slow))
        except Exception as error:  # noqa: B902
            failure.append(str(error)[:2000])

    thread = threading.Thread(target=query)
    thread.start()
    tracker, done = spark.sparkContext.statusTracker(), 0
    while thread.is_alive():
        stages = [tracker.getStageInfo(i) for i in tracker.getActiveStageIds()]
        done = max([s.numCompletedTasks for s in stages if s] + [0])
        if done >= 1 and any(s and s.numActiveTasks for s in stages):
            break
        time.sleep(0.02)
    running = thread.is_alive()
    os.kill(before[0], signal.SIGKILL)
    thread.join()
    deadline = time.monotonic() + 60
    while len(set(executors()) - set(before)) == 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    return {"all": (answer + failure)[0], "running": running, "done": done, "before": len(before),
            "new": len(set(executors()) - set(before))}


for line in sys.stdin:
    question = json.loads(line)
    answers.write(json.dumps({"ask": ask, "kill": kill}[question["do"]](question)) + "\n")
    answers.flush()
spark.stop()
