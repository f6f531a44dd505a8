"""Clusters on this host: scheduler, workers and driver forked from one warm interpreter, as one process group.

Knows: `ports.process_groups`, what the roles publish. Never knows: how processes are forked, limited and ended.
"""
