"""Stream's webhooks: how their bodies are compressed, wrapped and signed.

`gzipped` inflates, `envelopes` takes an event out of a queue's message, `signatures` checks and
makes, and `faults` says why a signature is not right.
"""

HEADER = "X-Signature"
KEY_HEADER = "X-Api-Key"
ID_HEADER = "X-Webhook-Id"
