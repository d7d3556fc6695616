"""The only door to a model: providers, routing, fail-over, budgets, cost, the semantic cache."""
