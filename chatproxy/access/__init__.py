"""Who may call: what the access document says, and what follows from it. Knows no Flask.

| file | what |
|---|---|
| `document` | reading it, with every fault and its place |
| `schema` | what each field of it may hold |
| `rules` | a caller, and whether it may make a call |
| `patterns` | patterns of paths, endpoints and user ids, and what they are compared with |
| `keys` | what keys look like, and how one is found by its digest |
"""
