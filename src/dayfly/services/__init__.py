"""The API that clients call, one file a service or entity; messages in, messages out.

Knows: flyteidl's requests and answers, the rules for them, the ports. Never knows: SQL, files, sockets of others,
what happens to an execution after its first event: it never meets the controller.
"""
