"""The read side: an API over what the live path stored."""
