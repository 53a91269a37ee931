"""Rate limits: counters in memory, or shared in Redis. Knows no provider and no Flask."""
