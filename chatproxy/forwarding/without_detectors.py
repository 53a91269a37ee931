"""requests, without the libraries that guess in which character set a body is.

They take 3 MB for `Response.text` of an answer that does not say it, which nobody reads here: all
bodies are forwarded as they are. requests works without either, and warns of it.
"""

import sys
import warnings

_DETECTORS = ("chardet", "charset_normalizer")
_missing = [name for name in _DETECTORS if name not in sys.modules]

# What is None in there cannot be imported (Python's reference, "The module cache").
sys.modules.update(dict.fromkeys(_missing))  # type: ignore[arg-type]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import requests

for _name in _missing:
    del sys.modules[_name]

__all__ = ["requests"]
