"""The chaos run: members, Redis and Kafka are killed, paused and cut off at random, as if nothing had happened in the end."""

from lab.chaos.run import FULL, SHORT, Outcome, Plan, run

__all__ = ["FULL", "SHORT", "Outcome", "Plan", "run"]
