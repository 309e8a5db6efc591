"""What a machine must have, and what is brought to it: Java, Redis, Kafka's jars, the environment.

Standard library only: the set-up runs before anything is installed.
"""
