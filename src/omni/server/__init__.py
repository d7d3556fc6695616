"""Omni's services over HTTP: each is one file, and holds no logic of its own."""
