"""Dayfly's own HTTP API, beside Flyte's: events, logs and clusters, under `/api/dayfly/v1`.

Knows: ports, HTTP, what a line of a log looks like. Never knows: where logs, records and rows lie.
"""
