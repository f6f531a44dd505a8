"""Alembic's scripts, one a schema revision. Knows: how each schema came from the one before. Never knows: today's."""
