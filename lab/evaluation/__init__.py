"""How good recommendations are, against what the world's listeners truly like."""
