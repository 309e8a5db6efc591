"""A year in review: one listener's figures, from the very log that makes the recommendations; or any loyalty data's."""
