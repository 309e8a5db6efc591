"""The live path: the same features as the nightly job's, from its own state and in its own code."""
