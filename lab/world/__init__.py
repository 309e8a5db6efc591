"""The simulated world: what there is to hear, who listens, what they truly like, and what the collector gets of it."""

from lab.world.world import World

__all__ = ["World"]
