"""Drives executions: takes unread events, steps the engine, commits, performs what was committed, observes the world.

Knows: the ports and the engine's one function. Never knows: workflow rules, SQL, processes, gRPC.
"""
