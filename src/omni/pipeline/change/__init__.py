"""A change of an existing repository: understood first, proved by a test, as small as it can be, left on a branch."""
