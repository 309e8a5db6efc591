"""Recommendations worth serving: how alike listeners and sounds are, put together, made diverse, and laid out on shelves."""
