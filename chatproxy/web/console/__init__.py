"""`/-/console`: the state of the sidecar as a page for people.

| file | what |
|---|---|
| `view` | the endpoint, and what its answer may do in a browser |
| `checks` | check-ups of what the sidecar depends on, seldom enough whoever looks |
| `facts` | what the page says, as plain data |
| `page` | the page, and what of a text may stand in it |

It changes nothing, and shows no secret. It works without a script, and asks for nothing else.
"""
