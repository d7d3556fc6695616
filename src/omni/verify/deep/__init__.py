"""Deep verification: the project served, on real services, built twice, and measured against its base."""
