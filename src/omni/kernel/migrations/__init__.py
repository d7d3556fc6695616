"""Alembic migrations of Omni's own database; one set serves SQLite and PostgreSQL."""
