"""Clusters of any class with the interface of `distributed.deploy.Cluster`, named in the settings.

Knows: how such a class is asked for a cluster. Never knows: any one of these classes.
"""
