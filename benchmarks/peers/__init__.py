"""The sidecar beside other proxies, in one run: `python -m benchmarks.peers`."""
