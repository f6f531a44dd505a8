"""What services and controller need from stores, blobs, executors and environments: few and small.

Knows: the model's words. Never knows: SQL, files, processes, Kubernetes. Every port has one contract suite in
`tests/contract`, which all its implementations pass, the in-memory one included.
"""
