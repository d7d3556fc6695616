"""The flow: eleven stages, runs, approvals, retries, resume."""
