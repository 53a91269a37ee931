// A Socket.IO server that takes every client (Engine.IO 3 and 4, polling and WebSocket), as an IMKit
// server would. Prints its port, and one for the tests: what it was sent is at `/_seen` there. A
// `fault` in the query of a handshake makes it misbehave. PING_MS are the milliseconds between two
// pings; with TLS_FILE, a certificate with its key, it speaks TLS.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { Server } from 'socket.io';

const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const seen = { handshakes: [], signIns: [], rest: [], codes: [] };
const open = new Set();

const handle = (request, response) => {
  const answer = (value) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(value));
  };
  let body = '';
  request.on('data', (piece) => (body += piece));
  request.on('end', async () => {
    if (request.url === '/_seen') {
      return answer({ ...seen, open: open.size });
    }

    if (request.url === '/_say') {
      const [name, ...values] = JSON.parse(body);
      io.emit(name, ...values);
      return answer({});
    }

    seen.rest.push(`${request.method} ${request.url}`);
    answer({ RC: 0, RM: 'OK', result: { totalCount: 0, data: [] } });
  });
};

const { TLS_FILE } = process.env;
const pem = TLS_FILE && readFileSync(TLS_FILE);
const http = pem ? createSecureServer({ cert: pem, key: pem }, handle) : createServer(handle);
const control = createServer(handle);

const io = new Server({
  allowEIO3: true,
  maxHttpBufferSize: 5e6,
  pingInterval: Number(process.env.PING_MS ?? 25000),
  httpCompression: false,
});
io.attach(http);

io.engine.on('connection', (socket) => open.add(socket) && socket.on('close', () => open.delete(socket)));

io.on('connection', (socket) => {
  const { headers, query, auth } = socket.handshake;
  let encoding;
  seen.handshakes.push({ headers, query, auth });
  // Where it is a WebSocket from the start: with what it is closed.
  socket.conn.transport.socket?.on('close', (code) => seen.codes.push(code));
  const shown = (value) =>
    encoding === 'base64' ? Buffer.from(JSON.stringify(value)).toString('base64') : value;
  socket.data.shown = shown;

  socket.on('conf', (options, ack) => {
    encoding = options?.encoding;
    ack?.({ RC: 0, RM: 'OK', result: options });
  });

  for (const name of ['auth', 'auth2']) {
    socket.on(name, (...values) => {
      const ack = typeof values.at(-1) === 'function' ? values.pop() : () => {};

      if (String(values[0]).startsWith('no-token-')) {
        return ack(shown({ RC: 401, RM: 'Invalid token', error: { code: 'INVALID_TOKEN' } }));
      }

      seen.signIns.push([name, ...values]);
      ack(shown({ RC: 0, RM: 'OK', result: { client: { _id: 'theirs' } } }));
    });
  }

  for (const name of ['sendMessage', 'chat message']) {
    socket.on(name, (message, ack) => {
      ack?.({ RC: 0, RM: 'OK', result: message });

      for (const other of io.sockets.sockets.values()) {
        if (other !== socket) {
          other.emit('chat message', other.data.shown(message));
        }
      }
    });
  }

  socket.on('echo', (...values) => values.pop()(...values));
  socket.on('leave', () => socket.disconnect(true));
  socket.on('break', () => socket.conn.transport.socket?._socket.destroy());
});

// What a handshake with a `fault` gets instead of Socket.IO.
const faults = {
  never: () => {},
  silent: (request, socket) => socket.write(accepted(request)),
  redirect: (_, socket) => socket.end('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n'),
  refused: (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
  other: (request, socket) => socket.write(accepted({ headers: { 'sec-websocket-key': 'x' } })),
  compressed: (request, socket) =>
    socket.write(accepted(request, 'Sec-WebSocket-Extensions: permessage-deflate\r\n')),
  garbage: (request, socket) => socket.write(accepted(request) + 'not frames at all, but text'),
  gone: (_, socket) => socket.destroy(),
  early: (request, socket, head) => {
    socket.write('HTTP/1.1 103 Early Hints\r\n\r\n');
    upgrade(request, socket, head);
  },
};

function accepted({ headers }, more = '') {
  const accept = createHash('sha1').update(headers['sec-websocket-key'] + MAGIC).digest('base64');
  return (
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${accept}\r\n${more}\r\n`
  );
}

const [upgrade] = http.listeners('upgrade');
http.removeAllListeners('upgrade');
http.on('upgrade', (request, socket, head) => {
  const fault = faults[new URL(request.url, 'http://a').searchParams.get('fault')];
  socket.on('error', () => {});
  return (fault ?? upgrade)(request, socket, head);
});

http.listen(0, '127.0.0.1', () =>
  control.listen(0, '127.0.0.1', () => console.log(http.address().port, control.address().port)),
);
