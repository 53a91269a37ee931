"""Stream (getstream.io): credentials, user tokens, webhook signatures, errors."""
