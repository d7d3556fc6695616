"""Who does the work: roles, tools, the loop, handoffs and coder engines."""
