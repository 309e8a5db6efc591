"""The features of the registry, one file a subject: partial sums first where there are any, then values by request."""
