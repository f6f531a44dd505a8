"""What runs inside the interpreter of a task's environment: fork server, supervisors, the start of a role.

Knows: processes, sockets, /proc, the standard library; and flytekit's entrypoints once they are imported anyway.
Never knows: Dayfly. It is loaded from its path under a private name, because that environment may not have Dayfly:
standard library and relative imports only. One process, one thread: whatever forks must not hold a lock.
"""
