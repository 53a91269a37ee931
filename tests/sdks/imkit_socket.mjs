// Drive the official `socket.io-client` package, unmodified, against IMKit's socket.
// Reads IMKIT_URL, IMKIT_API_KEY, and the tokens TOKEN and OTHER_TOKEN of the client `node`.

import assert from 'node:assert/strict';
import { io } from 'socket.io-client';
import { Checklist, versionOf } from './checklist.mjs';

const { IMKIT_URL, IMKIT_API_KEY, TOKEN, OTHER_TOKEN } = process.env;
const sdk = new Checklist('npm socket.io-client', versionOf('socket.io-client'));
const sockets = [];

function open(options = {}, namespace = '') {
  const { origin, pathname } = new URL(IMKIT_URL);
  const ours = { path: `${pathname}/socket.io`, transports: ['websocket'], ackTimeout: 5000 };
  const socket = io(`${origin}${namespace}`, { forceNew: true, ...ours, ...options });
  sockets.push(socket);
  return socket;
}

async function connected() {
  const socket = open();
  await new Promise((resolve, reject) => socket.on('connect', resolve).on('connect_error', reject));
  return socket;
}

// Resolves with the first argument of an event.
const next = (socket, event) => new Promise((resolve) => socket.once(event, resolve));
const decoded = (text) => JSON.parse(Buffer.from(text, 'base64').toString());

await sdk.call('conf', async () => {
  const socket = await connected();
  assert.equal((await socket.emitWithAck('conf', { encoding: 'base64' })).RC, 0);
});

await sdk.call('auth', async () => {
  const socket = await connected();
  const { RC, RM, result } = await socket.emitWithAck('auth', TOKEN);
  assert.deepEqual([RC, RM, result.client._id], [0, 'OK', 'node']);
  assert.equal(result.client.nickname, 'Zoë 🙂');
});

await sdk.call('auth2', async () => {
  const socket = await connected();
  const { RC } = await socket.emitWithAck('auth2', TOKEN, { deviceId: 'web-1' });
  assert.equal(RC, 0);
});

await sdk.call('base64', async () => {
  const socket = await connected();
  await socket.emitWithAck('conf', { encoding: 'base64' });
  const { RC, result } = decoded(await socket.emitWithAck('auth', TOKEN));
  assert.deepEqual([RC, result.client.nickname], [0, 'Zoë 🙂']);
  assert.equal(decoded(await socket.emitWithAck('auth', 'nobody-has-this')).RC, 401);
});

await sdk.call('a bad token', async () => {
  const socket = await connected();
  const { RC, error } = await socket.emitWithAck('auth', 'nobody-has-this');
  assert.deepEqual([RC, error.code], [401, 'INVALID_TOKEN']);
});

await sdk.call('bytes', async () => {
  const socket = await connected();
  const { RC, error } = await socket.emitWithAck('auth', Buffer.from(TOKEN));
  assert.deepEqual([RC, error.code], [400, 'INVALID_BODY']);
  assert.equal((await socket.emitWithAck('auth', TOKEN)).RC, 0);
});

await sdk.call('another namespace', async () => {
  const socket = open({}, '/other');
  assert.equal((await next(socket, 'connect_error')).message, 'Invalid namespace');
});

await sdk.call('polling', async () => {
  const socket = open({ transports: ['polling'], reconnection: false });
  assert.equal((await next(socket, 'connect_error')).context?.status, 400);
});

await sdk.call('disconnect', async () => {
  const socket = await connected();
  const reason = next(socket, 'disconnect');
  socket.disconnect();
  assert.equal(await reason, 'io client disconnect');
});

// Last: it ends the token. A client that is told so does not come again by itself.
await sdk.call('revoked', async () => {
  const socket = await connected();
  assert.equal((await socket.emitWithAck('auth', OTHER_TOKEN)).RC, 0);
  const reason = next(socket, 'disconnect');
  const answer = await fetch(`${IMKIT_URL}/admin/clients/node/token`, {
    method: 'DELETE',
    headers: { 'IM-API-KEY': IMKIT_API_KEY, 'Content-Type': 'application/json' },
    body: JSON.stringify({ token: OTHER_TOKEN }),
  });
  const ended = performance.now();
  assert.equal(answer.status, 200);
  assert.equal(await reason, 'io server disconnect');
  assert.ok(performance.now() - ended < 2000);
});

for (const socket of sockets) {
  socket.disconnect();
}

sdk.finish();
