"""The run page: its nodes on the left, what is known of the chosen one on the right.

Knows: one execution through the API. Never knows: other pages.
"""
