"""The checks, one file each, found by their names."""
