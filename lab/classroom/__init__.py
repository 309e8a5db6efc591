"""The classroom: a world so small that every number can be checked by hand. The code is the night's own."""
