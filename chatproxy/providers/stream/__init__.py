"""Stream (getstream.io): credentials, user tokens, webhook signatures, client configuration."""
