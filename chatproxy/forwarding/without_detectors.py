"""requests, without the libraries that guess in which character set a body is.

They take 3 MB for `Response.text` of an answer that does not say it, which nobody reads here: all
bodies are forwarded as they are. requests works without either, and warns of it.
"""

import warnings

from chatproxy.left_out import left_out

with warnings.catch_warnings(), left_out("chardet", "charset_normalizer"):
    warnings.simplefilter("ignore")
    import requests

__all__ = ["requests"]
