"""IMKit: two kinds of callers, tokens that are bound to a client, and the socket's `auth`.

Source: the vendor's page on authorisation, its API documentation, and its public samples of
an authorisation server and of a badge service.
"""
