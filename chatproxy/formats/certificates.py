"""Certificates in PEM form (RFC 7468)."""

import ssl


def trusting(pem: bytes) -> ssl.SSLContext:
    """Return a TLS context that trusts these certificates and no others.

    It checks the chain and the host name. Raises `OSError` if there is no usable certificate.
    """
    # What stands between certificates may be in any language, and Python takes ASCII only. Without
    # a text `create_default_context` would trust the system's certificates.
    text = pem.decode("ascii", "ignore")
    return ssl.create_default_context(cadata=text or "nothing")
