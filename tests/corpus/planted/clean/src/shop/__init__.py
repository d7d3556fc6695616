"""A shop that knows what it has."""
