"""Runs untrusted commands: no network, no secrets, bounded time, memory, processes and disk."""
