"""What clusters of pods tell by their logs: brings Dayfly's modules into their roles, and takes what they tell home.

Knows: the form of what is told (`roles/telling.py`), which modules a role needs. Never knows: how logs are fetched,
what a cluster's end means.
"""
