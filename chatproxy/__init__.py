"""chatproxy: the sidecar that holds a chat provider's credentials.

The server's first process imports this package for its settings, so nothing is imported
here: what a worker has to patch must not be loaded before it is (decision 0006).
"""

__version__ = "0.1.0"
