"""A night in a process of its own, on the Spark of another one, so that it can be killed again and again within seconds.

All that a night publishes is written by its Python process; what Spark's JVM does for it leaves nothing in the home.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from batch.listens import Job
from batch.night import run_night
from contract.home import Home
from contract.lake import Lake
from contract.versions import Versions

ROOT = Path(__file__).parent.parent


def night_process(spark: SparkSession, home: Home, as_of_ms: int) -> subprocess.Popen[bytes]:
    """Start a process that has everything loaded; it runs the night once it is ``told``."""
    gateway = spark.sparkContext._gateway.gateway_parameters  # type: ignore[union-attr]
    env = {**os.environ, "PYSPARK_GATEWAY_PORT": str(gateway.port), "PYSPARK_GATEWAY_SECRET": str(gateway.auth_token)}
    command = [sys.executable, "-m", "tests.killing", str(home.root), str(as_of_ms)]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def tell(process: subprocess.Popen[bytes]) -> None:
    """Let the night begin."""
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    process.stdin.flush()


def _session() -> SparkSession:
    """Return the session of the JVM whose address the environment gives."""
    gateway = launch_gateway()
    java = gateway.jvm.org.apache.spark
    sc = java.api.java.JavaSparkContext.fromSparkContext(java.SparkContext.getOrCreate())
    context = SparkContext(gateway=gateway, jsc=sc, conf=SparkConf(_jconf=sc.sc().conf()))
    return SparkSession(context, gateway.jvm.org.apache.spark.sql.classic.SparkSession.getDefaultSession().get().newSession())


def _main(home: Home, as_of_ms: int) -> None:
    job = Job(_session(), Lake(home.lake))
    print("ready", flush=True)
    sys.stdin.readline()
    version = run_night(job, home, as_of_ms)
    Versions(home.versions).point_to(version.name)
    print("done", flush=True)
    os._exit(0)  # without stopping the Spark that is not its own


if __name__ == "__main__":
    _main(Home(Path(sys.argv[1])), int(sys.argv[2]))
