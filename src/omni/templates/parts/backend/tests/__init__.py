"""Tests; `factories` makes what they need."""
