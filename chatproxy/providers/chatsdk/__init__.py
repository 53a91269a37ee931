"""ChatSDK: both user tokens, users, their revocation, and the way to a ChatSDK server.

Source: the vendor's guide to token generation, and its public code of January 2026,
the generation that the guide describes.
"""
