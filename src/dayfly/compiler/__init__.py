"""Turns what users register into what the engine runs, or into *all* the errors, each with its place.

Knows: `flyteidl` documents, types, the model's Plan. Never knows: storage, time, the network, running anything.

`tasks.check` · `references.required`, then `workflows.compile` (a `Compiled` or a `Rejected`) ·
`futures.compile` for what dynamic tasks write · `single_task.build_workflow` for executions of a task alone ·
`launch_plans.expected_inputs` · `inputs.merge` for CreateExecution · `digests.digest` · `errors.describe` makes one
message of many errors.
"""
