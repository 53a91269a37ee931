"""Permissions documents that are put in force by the sidecar itself.

| file | what |
|---|---|
| `work` | the work of a worker: when it is done, and what is told of it |
| `state` | how far it is, which all workers see |
| `asking` | the calls to a provider |
"""
