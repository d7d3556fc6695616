"""Where untrusted data goes in a Python program: an abstract interpreter of its source, with summaries of functions.

`analysis.analyse` is the way in. What is untrusted, dangerous and harmless is written in `models/*.toml`.
"""
