"""Clusters that the Dask operator makes, each by one `DaskJob` resource.

Knows: what a DaskJob says, what the operator makes of it and where it errs. Never knows: how objects are asked for.
"""
