"""The doors that speak HTTP, and the one address that all doors share.

Knows: HTTP, connections, signed links, log files, metrics. Never knows: workflow rules; what it serves it gets from
ports that `assembly` hands in.
"""
