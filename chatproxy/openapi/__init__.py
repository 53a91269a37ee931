"""The OpenAPI document: what each route takes and answers.

| file | what |
|---|---|
| `operation` | how an operation is declared, beside the views, in each `endpoints/operations.py` |
| `failures` | which errors can occur where |
| `schemas` | marshmallow schemas as JSON Schema |
| `responses` | the answers to failures, in the error shape of each surface |
| `document` | the document, put together from the routes that are in force |

Nothing of it is loaded before somebody asks for the document.
"""
