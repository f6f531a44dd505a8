"""Everything Dayfly remembers, in SQL: what is registered, what runs, what clients read of it.

Knows: tables, transactions, the words of the model, the closures clients read. Never knows: what a phase leads to,
who may do what, files, processes. `database.open` is the way in; nothing else here is for other packages.
"""
