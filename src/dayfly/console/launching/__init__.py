"""The launch form: from the types of an interface to fields, and from what was filled in to literals.

Knows: flyteidl's types and literals, JSON schemas, what forms send. Never knows: which page it is on, where runs go.

A *shape* says what a field looks like, as JSON for the browser; a *value* is what a field holds, as JSON too. Numbers
are text in it, for a browser's numbers have but 53 bits, and None is a field that says nothing.
"""
