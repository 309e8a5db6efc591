"""The Spark session of a process: started once, bound to loopback, the same settings everywhere."""

from __future__ import annotations

import os

from pyspark.sql import SparkSession

SHUFFLE_PARTITIONS = 4
"""Few, and fixed: a night of a laptop's world is small, and the number is part of what makes runs repeatable."""


def open_session(master: str = "local[2]", memory: str = "1g") -> SparkSession:
    """Start the session, or return the one that this process has."""
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
        "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -Xss4m -XX:+UseSerialGC -XX:ReservedCodeCacheSize=256m",
    }
    builder = SparkSession.builder.master(master).appName("skewlab")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session
