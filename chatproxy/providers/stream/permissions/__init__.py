"""Stream's permissions after a document of ours, in either of Stream's two systems.

| file | what |
|---|---|
| `names` | what Stream calls its resources, roles and permissions |
| `document` | the document: what it says, or everything that is wrong with it |
| `policies`, `grants` | the part of the document that each system has in its own way |
| `today` | what there is at Stream |
| `changes` | one change, as a call and for a person |
| `plan` | what has to be changed, which needs nothing but the two |
| `export` | what there is, as a document |
| `keeper` | all of it for one application |

Source: the vendor's OpenAPI document v236.0.4, and its pages on permissions.
"""
