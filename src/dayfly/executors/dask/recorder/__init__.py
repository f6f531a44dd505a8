"""Reads the flight records that schedulers write (`roles/recording.py`), and sums them up.

Knows: the form of the frames. Never knows: who asks, and why a cluster died (`diagnosis` does).
"""
