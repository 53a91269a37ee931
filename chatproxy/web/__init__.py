"""What views share.

| file | what |
|---|---|
| `current` | the request that is being served, and the worker that serves it |
| `parsing`, `answers` | reading what a caller sent; answers of our own |
| `routing`, `guards` | registering a route, and checking who calls it |
| `same_origin` | keeping out web pages of other sites |
| `relay` | forwarding a call |
| `error_handlers` | answering an error in the format of its surface |
| `request_log` | the outermost layer, which writes the log line |
| `cors`, `user_schema`, `validators`, `status` | what the name says |
"""
