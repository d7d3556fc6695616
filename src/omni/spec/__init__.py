"""What was asked: the specification's types, the request compiler, completeness, the account of every sentence."""
