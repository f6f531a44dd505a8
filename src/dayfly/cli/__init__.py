"""The commands people type, one file each.

Knows: the client, and for `up` the assembly. Never knows: how anything is done.
"""
