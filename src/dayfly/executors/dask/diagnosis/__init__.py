"""Why an attempt's cluster died: from what is known of its end to one sentence with a remedy. Pure.

Knows: exit codes, signals, memory, errors, flight records, the ends of logs. Never knows: how any of it was collected.
"""
