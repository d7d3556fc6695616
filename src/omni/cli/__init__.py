"""The door: the `omni` command."""
