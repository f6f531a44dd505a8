"""Tests against a real Kubernetes cluster: run where one can be had, and said to be skipped elsewhere.

`DAYFLY_TEST_CLUSTER_IMAGE` names an image that holds this environment at its own path; `KUBECONFIG` leads to the
cluster, whose one node is this machine.
"""
