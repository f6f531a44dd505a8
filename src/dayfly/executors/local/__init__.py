"""Runs attempts as processes of this host, forked from warm interpreters.

Knows: processes, sockets, files, the command lines of tasks. Never knows: retries, phases, gRPC, databases.
"""
