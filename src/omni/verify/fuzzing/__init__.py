"""Fuzzing: programs that feed a parser with all kinds of input, run for a while, and what they broke."""
