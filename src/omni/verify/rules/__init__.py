"""Our own rules, as data for ast-grep: one folder a language, one file a topic, one document a rule.

A rule is an entry of ast-grep (https://ast-grep.github.io/reference/yaml.html) whose `metadata` says why it matters,
how to mend it, and gives examples that it must and must not match. Its id begins with its topic. Add one by writing it
down: `omni rules test` and the tests run every example.
"""
