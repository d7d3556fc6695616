"""Omni: one plain-English sentence in; a specified, verified, packaged app out, with the evidence."""

__version__ = "0.1.0"
