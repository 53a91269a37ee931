"""PerformChat: user tokens for one agent, their invalidation, agents and customer users.

Source: the vendor's documentation (authentication, agents, customer users).
"""
