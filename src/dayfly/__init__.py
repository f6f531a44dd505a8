"""Dayfly: a workflow platform for Dask that Flyte 1 clients take for Flyte. Importing it has no side effects."""
