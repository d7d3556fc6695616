"""One file a migration, named `<number>_<what>.py`; the number is its revision."""
