"""Side-by-side measurements; each is a command, `python -m benchmarks.<name>`."""
