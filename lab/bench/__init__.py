"""``skewlab bench``: measurements with their baselines and goals, each run for its own table."""
