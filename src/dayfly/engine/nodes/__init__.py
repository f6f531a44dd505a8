"""What each kind of node does with the events of its attempts, one file a kind.

Knows: the draft of a step, retries and timeouts. Never knows: other kinds, the graph, the failure policy; what a
node's end means to the rest of the execution is for `readying`, `failing` and `finishing`.
"""
