"""Web pages about what runs and what is registered.

Knows: the public API, through `client`. Never knows: services, stores, the engine.
"""
