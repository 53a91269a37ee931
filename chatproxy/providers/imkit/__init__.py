"""IMKit: two kinds of callers, tokens bound to a client, and `auth` over the socket.

Source: the vendor's page on authorisation, its API documentation, and its public samples of
an authorisation server and of a badge service.
"""
