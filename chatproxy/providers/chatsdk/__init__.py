"""ChatSDK: its two user tokens, users and revocation, and calls to a ChatSDK server.

Source: the vendor's guide to token generation, and its public code of January 2026,
which is the generation that the guide describes.
"""
