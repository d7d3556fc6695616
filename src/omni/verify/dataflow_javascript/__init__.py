"""Where untrusted data goes in a JavaScript or TypeScript program: an abstract interpreter of its source.

`analysis.analyse` is the way in. What is untrusted, dangerous and harmless is written in `models/*.toml`. The twin for
Python is `omni.verify.dataflow`; ways, weaknesses and findings are of the same form.
"""
