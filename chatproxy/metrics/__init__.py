"""What the sidecar counts, for Prometheus.

| file | what |
|---|---|
| `table` | every metric: its name, labels and meaning |
| `series` | counting: a metric's series in the memory of this process |
| `segments` | that memory, which the processes of a server share |
| `requests`, `upstreams` | what is counted of a request, and of the way to an upstream |
| `server` | what the first process counts |
| `sums`, `exposition` | the sums over all processes; those as Prometheus reads them |
"""
