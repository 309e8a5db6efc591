"""Worlds that were lived through once, and what either path would have said of them under skews, for many experiments."""
