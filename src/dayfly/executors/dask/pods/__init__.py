"""Clusters of pods: `plain` ones, with one Service and no operator, or those that another makes for the platform.

Knows: which pods make a cluster, what their states mean for it. Never knows: how pods are asked for.
"""
