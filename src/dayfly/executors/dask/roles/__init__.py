"""What runs inside the processes of a cluster: scheduler and worker.

Knows: the standard library, dask, distributed. Never knows: Dayfly, which may not be installed in the user's
environment: these files are loaded from their path. Made for distributed 2024.4 and later.
"""
