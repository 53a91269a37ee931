"""The socket over which clients authenticate: Socket.IO, on WebSockets only.

| file | what |
|---|---|
| `handshake` | checks the request for a socket |
| `websocket` | reads and writes messages in frames |
| `packets` | reads and writes Socket.IO's packets in those messages |
| `dialogue` | answers one client's events |
| `session` | serves one socket from the first packet to the end |
| `hub` | limits the sockets of a worker, and ends those that must not stay |
| `periodic` | the thread with which `hub` checks them |

The greenlet that answered the request also serves the socket. Decision 0013 tells what
python-socketio's server would cost instead.
"""
