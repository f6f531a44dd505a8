"""A package of the user, as the workers have it."""

__version__ = "1.0"
