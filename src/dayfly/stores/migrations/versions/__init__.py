"""The revisions, in order. Frozen once released."""
