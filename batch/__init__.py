"""The nightly job, in Spark: features, vectors, neighbours, recommendations, the ranker, and their publication."""
