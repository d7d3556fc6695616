"""Engines: interchangeable hands that work on a workspace by a model. One contract for Omni's own and for others."""
