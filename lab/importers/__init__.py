"""Listening data that nobody here wrote, turned into a log."""
