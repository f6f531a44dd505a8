"""Runs beside a raw container's command, in its attempt's process: inputs become files before it, files outputs after.

Knows: literals, files, flytekit's access to data. Never knows: the platform, supervisors, why the command was run.
What Flyte's copilot does in two containers beside the task's (flytecopilot in flyteorg/flyte).
"""
