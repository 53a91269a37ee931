"""The socket at which clients authenticate: Socket.IO, over a WebSocket only.

| file | what |
|---|---|
| `handshake` | is this a request for such a socket? |
| `websocket` | messages out of and into frames |
| `packets` | Socket.IO's packets in those messages |
| `dialogue` | the answers to one client's events |
| `session` | one client's socket from its first packet to its end |
| `hub` | all sockets of a worker: how many, and which have to end |

One thread, or greenlet, serves one socket: the one that answered the request for it. See
decision 0013 for what python-socketio's server would cost instead.
"""
