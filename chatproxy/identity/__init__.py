"""Who is who: apps, API keys, users, and which of their tokens are valid.

Knows no provider and no Flask. `directory.Directory` answers every question that the
rest may ask. `records` holds what goes in and out, and can be imported without loading
the database library.
"""
