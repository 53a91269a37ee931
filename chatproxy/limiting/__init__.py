"""How often a caller may do something: counters in memory, or shared in Redis.

Knows no provider and no Flask. `rate` and `settings` need no library, so that the
server's first process can read them.
"""
