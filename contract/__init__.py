"""The one thing that both paths agree on: what an event, a feature, a window and a version are, never how one is computed."""
