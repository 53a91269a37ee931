"""What views share.

| file | what |
|---|---|
| `current` | the request that is being served, and the worker that serves it |
| `parsing`, `answers` | reading what a caller sent; answers of our own |
| `route`, `routing`, `guards` | a line of the table, registering it, and checking who calls it |
| `access`, `presented` | who may call by the access document; what of a request is asked about |
| `explain` | what would be decided about a call, without making it |
| `same_origin` | keeping out web pages of other sites |
| `relay` | forwarding a call |
| `error_handlers` | answering an error in the format of its surface |
| `request_log` | the outermost layer, which writes the log line |
| `cors`, `user_schema`, `validators`, `status` | what the name says |
"""
