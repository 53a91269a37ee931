"""Who is who: apps, API keys, users, and which of their tokens still count.

Knows no provider and no Flask. `directory.Directory` holds every question that the
rest may ask; `settings` needs no library, so that the server's first process can
read it.
"""
