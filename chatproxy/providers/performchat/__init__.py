"""PerformChat: user tokens bound to an agent, their invalidation, agents and customer users.

Source: the vendor's documentation (authentication, agents, customer users).
"""
