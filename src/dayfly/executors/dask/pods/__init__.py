"""Clusters as plain pods of a Kubernetes cluster, with one Service: no operator and no CRD is needed.

Knows: which pods make a cluster, what their states mean for it. Never knows: how pods are asked for.
"""
