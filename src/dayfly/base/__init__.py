"""What everything stands on: clock, ids, settings, errors, logs.

Knows: the real time, chance, the environment. Never knows: workflows, storage, processes, the network.
"""
