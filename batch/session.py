"""The Spark session of a process: started once, bound to loopback, the same settings everywhere."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from contract.errors import InfrastructureError

SHUFFLE_PARTITIONS = 4
"""Few, and fixed: a night of a laptop's world is small, and the number is part of what makes runs repeatable."""


def open_session(log: Path, master: str = "local[2]", memory: str = "1g") -> SparkSession:
    """Start the session, or return the one that this process has. What its JVM says on standard error goes to ``log``.

    Raises:
        InfrastructureError: the JVM did not start.
    """
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    settings = {
        "spark.driver.memory": memory,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(SHUFFLE_PARTITIONS),
        "spark.sql.adaptive.enabled": "false",  # plans that do not change with timing
        "spark.sql.requireAllClusterKeysForCoPartition": "false",  # one shuffle by listener serves all joins
        "spark.sql.sources.parallelPartitionDiscovery.threshold": "10000",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.autoBroadcastJoinThreshold": "-1",
        "spark.sql.codegen.cache.maxEntries": "2000",  # a night has more stages than the default keeps
        "spark.sql.dataFrameQueryContext.enabled": "false",  # three calls to the JVM fewer for each column expression
        "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -Xss4m -XX:+UseSerialGC -XX:ReservedCodeCacheSize=256m",
    }
    builder = SparkSession.builder.master(master).appName("skewlab")
    for name, value in settings.items():
        builder = builder.config(name, value)
    logging.getLogger("py4j").setLevel(logging.CRITICAL)  # it writes a traceback for every interruption
    try:
        with _standard_error_to(log):
            session = builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise InfrastructureError("Spark did not start", str(error).splitlines()[0], f"Its log is {log}") from error
    session.sparkContext.setLogLevel("ERROR")
    return session


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
