"""What runs attempts: local processes, and Dask clusters made of them. One folder a kind; kinds don't know each other.

Knows: processes, their limits and their ends. Never knows: retries, phases, who asked.
"""
