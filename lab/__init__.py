"""What a student touches: the world, the stack, the skews, scenarios, reports and the command line."""
