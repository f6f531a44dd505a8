"""Requests that nobody would send: made from the API's descriptors, for campaigns against a server of its own."""
