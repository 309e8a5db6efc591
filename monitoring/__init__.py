"""The monitor: frames of both paths, suites of expectations, the verdict and the incident."""
