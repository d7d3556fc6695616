"""What a codebase is, by reading it: symbols, imports, entry points, calls, problems. Nothing of it is executed."""
