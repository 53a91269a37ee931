"""The socket as a tunnel to the IMKit server: Socket.IO of any version, by any transport.

| file | what |
|---|---|
| `opening` | the request that opens a socket: which credentials it holds, and what replaces them |
| `speech` | what a client says: sign-ins are checked here and rewritten, all else is the server's |
| `tunnel` | carries messages between a client's WebSocket and the server's |
| `payload` | the packets in the body of a polling request |
| `waiting` | a polling request that waits for what the server has to say |
| `sightings` | since when there are sessions on which nobody has signed in |

The sockets of a worker are limited and ended by `sockets.hub`, like those that authenticate only.
"""
