"""What views share.

| file | what |
|---|---|
| `current`, `context` | the request that is being served, and the worker that serves it |
| `parsing`, `answers` | reading what a caller sent; answers of our own |
| `routing`, `guards` | how a line of the table becomes reachable, and what its guard asks |
| `relay` | forwarding a call |
| `error_handlers` | a failure in the dialect of its surface |
| `request_log` | the layer around it all: the line in the log |
| `cors`, `user_schema`, `validators`, `status` | what its name says |
"""
