"""The Spark session of a process: started once, the same settings everywhere.

Started by Skewlab it is bound to loopback, or to the address from which a cluster's executors reach this process. Under
``spark-submit`` the JVM runs already: then master, addresses, memory and Java's options are what was said there.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from batch.failures import cause
from batch.master import STANDALONE, address_towards
from contract.errors import InfrastructureError

SHUFFLE_PARTITIONS = 4
"""Few, and fixed: a night of a laptop's world is small, and the number is part of what makes runs repeatable."""
EXECUTOR_S = 60
"""So long a standalone cluster may take to give the first executor; Spark itself would wait for ever."""

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": str(SHUFFLE_PARTITIONS),
    "spark.sql.maxConcurrentOutputFileWriters": "64",  # a file a day open at a time, instead of a sort by day
    "spark.sql.inMemoryColumnarStorage.compressed": "false",  # what is kept is narrow, and used at once
    "spark.sql.adaptive.enabled": "false",  # plans that do not change with timing
    "spark.sql.requireAllClusterKeysForCoPartition": "false",  # one shuffle by listener serves all joins
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "10000",
    "spark.sql.optimizer.windowGroupLimitThreshold": "-1",  # nearly every group is a single row: nothing to limit
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.codegen.cache.maxEntries": "2000",  # a night has more stages than the default keeps
    "spark.python.sql.dataFrameDebugging.enabled": "false",  # where in Python a column was made: ten calls to the JVM
    "spark.sql.dataFrameQueryContext.enabled": "false",  # and where in the JVM
    "spark.executor.defaultJavaOptions": "-Duser.timezone=UTC -Xss4m",
}
"""What plans and results depend on, wherever they are computed."""

JAVA = "-Duser.timezone=UTC -Xss4m -XX:+UseParallelGC -XX:ReservedCodeCacheSize=256m"
"""What this process's own JVM is told."""
FIRST_COMPILER = "-XX:TieredStopAtLevel=1"
"""The second compiler's work comes back after some minutes on many rows; before, it takes a core from what is waited for."""


def submitted() -> bool:
    """Tell whether this process was started by ``spark-submit``, which has a JVM for it."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def said_in(log: Path) -> str:
    """Say where to read what Spark said."""
    return "Its messages stand above" if submitted() else f"Its log is {log}"


def open_session(
    log: Path, master: str | None = "local[2]", memory: str = "1g", host: str | None = None, *, brief: bool = False
) -> SparkSession:
    """Start the session, or return the one that this process has. What its JVM says on standard error goes to ``log``.

    ``host`` is the address of this machine at which executors reach this process, where it is not the one on the way to the
    master. A ``brief`` session is for minutes of work on few events. Under ``spark-submit`` only ``master`` counts; None leaves
    it as it was submitted.

    Raises:
        UsageError: the name is none of a master.
        InfrastructureError: the JVM did not start, the master does not answer, or has no executor to give.
    """
    master = master or _submitted_master()
    own = address_towards(master)
    builder = SparkSession.builder.appName("skewlab").master(master)
    builder = builder.config("spark.sql.warehouse.dir", str(log.parent / "warehouse"))  # else in the folder we stand in
    if master.startswith("local"):
        builder = builder.config("spark.shuffle.compress", "false")  # a disk near by is faster than the packing
    for name, value in {**SETTINGS, **({} if submitted() else _driver(memory, host or own, brief=brief))}.items():
        builder = builder.config(name, value)
    logging.getLogger("py4j").setLevel(logging.CRITICAL)  # it writes a traceback for every interruption
    try:
        with _standard_error_to(log):
            session = builder.getOrCreate()
    except (PySparkException, Py4JError) as error:
        raise InfrastructureError(f"Spark did not start on {master}", cause(error), said_in(log)) from error
    session.sparkContext.setLogLevel("ERROR")
    _require_executor(session)
    return session


def _submitted_master() -> str:
    """Return the master that ``spark-submit`` was told, from the JVM that it started."""
    SparkContext._ensure_initialized()
    return SparkConf().get("spark.master", "local[2]") or ""


def _driver(memory: str, host: str, *, brief: bool) -> dict[str, str]:
    """Return the settings of a JVM that this process starts itself, reached by executors at ``host``."""
    os.environ.setdefault("SPARK_LOCAL_IP", host)
    return {
        "spark.driver.memory": memory,
        "spark.driver.host": host,
        "spark.driver.bindAddress": host,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.extraJavaOptions": f"{JAVA} {FIRST_COMPILER}" if brief else JAVA,
    }


def _require_executor(session: SparkSession) -> None:
    """Have a standalone cluster do the smallest job: with no worker free, the first job of a night would never end."""
    context = session.sparkContext
    if not (context.master or "").startswith(STANDALONE):
        return
    done = threading.Event()

    def give_up() -> None:
        while not done.wait(EXECUTOR_S):  # again, where the job had not even begun
            context.cancelAllJobs()

    threading.Thread(target=give_up, daemon=True).start()
    try:
        session.range(1).count()
    except Py4JError as error:
        raise InfrastructureError(
            f"{context.master} gave no executor that works within {EXECUTOR_S} s",
            cause(error),
            "Look at the master's page for workers with enough free cores and memory, and at what their executors said",
        ) from error
    finally:
        done.set()


@contextmanager
def _standard_error_to(path: Path) -> Iterator[None]:
    """Let what is started meanwhile inherit a file as its standard error; PySpark itself leaves no choice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    own = os.dup(2)
    with path.open("ab") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(own, 2)
        os.close(own)
