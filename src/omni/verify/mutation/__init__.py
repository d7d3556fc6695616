"""Mutation testing for Python: the code is changed a little, and a test has to notice."""
