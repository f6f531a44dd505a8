"""Decides what happens next in one execution: plan + state + event -> state + commands.

Knows: plans, run states, events, commands, and every rule of how a workflow runs. Never knows: the time (it comes in
with the event), storage, processes, Kubernetes, gRPC, who calls it.
"""
