"""The words everything above speaks: identifiers, phases, types and literals, plan, run state, events, commands.

Knows: `flyteidl` messages and our own frozen structs. Never knows: how they are stored, moved, run or shown.
"""
