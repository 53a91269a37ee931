"""`/v1`: one person at all providers, by one call.

| file | what |
|---|---|
| `views` | the blueprint: tokens are given and ended, and who somebody is |
| `asking` | each provider is asked, and what came of it becomes the answer |
| `schemas` | what callers send |
| `answers`, `operations` | what the OpenAPI document says |
"""
