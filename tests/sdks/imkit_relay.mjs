// Drive the official `socket.io-client`, unmodified, in its versions 2, 3 and 4, against a sidecar
// whose client door has IMKit at its root and a Socket.IO server behind it.
// Reads IMKIT_URL, CLIENT_KEY and the token TOKEN of the client `node`.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { Checklist, versionOf } from './checklist.mjs';

const { IMKIT_URL, CLIENT_KEY, TOKEN } = process.env;
const require = createRequire(import.meta.url);
const sdk = new Checklist('npm socket.io-client 2, 3, 4', versionOf('socket.io-client'));
const sockets = [];

const VERSIONS = { 2: 'socket.io-client-2', 3: 'socket.io-client-3', 4: 'socket.io-client' };
const TRANSPORTS = {
  'websocket only': ['websocket'],
  'websocket first': ['websocket', 'polling'],
  'polling first': ['polling', 'websocket'],
  'polling only': ['polling'],
};

const within = (promise, what) =>
  Promise.race([
    promise,
    new Promise((_, reject) => setTimeout(() => reject(new Error(`no ${what}`)), 15000).unref()),
  ]);

async function opened(version, transports) {
  const found = require(VERSIONS[version]);
  const io = found.io ?? found;
  const socket = io(IMKIT_URL, { forceNew: true, transports, reconnection: false });
  sockets.push(socket);
  await within(
    new Promise((resolve, reject) => socket.on('connect', resolve).on('connect_error', reject)),
    'connect',
  );
  return socket;
}

const ask = (socket, ...event) =>
  within(new Promise((resolve) => socket.emit(...event, resolve)), `ack of ${event[0]}`);
const next = (socket, event) => within(new Promise((resolve) => socket.once(event, resolve)), event);

for (const version of process.env.VERSIONS.split(',')) {
  for (const name of process.env.TRANSPORTS.split(',')) {
    const transports = TRANSPORTS[name];

    await sdk.call(`${version} ${name}`, async () => {
      const [sender, reader] = [await opened(version, transports), await opened(version, transports)];
      const first = await ask(sender, 'auth', TOKEN);
      assert.deepEqual([first.RC, first.result.client._id], [0, 'theirs']);
      assert.equal((await ask(reader, 'conf', { encoding: 'base64' })).RC, 0);
      const header = { CLIENT_KEY, Authorization: TOKEN };
      const second = await ask(reader, 'auth2', TOKEN, header);
      assert.equal(JSON.parse(Buffer.from(second, 'base64')).RC, 0);

      const heard = next(reader, 'chat message');
      const message = { room: 'r', message: `hello from ${version} ${name} 🙂`, number: 1.5 };
      const sent = await ask(sender, 'sendMessage', message);
      assert.deepEqual(sent, { RC: 0, RM: 'OK', result: message });
      assert.deepEqual(JSON.parse(Buffer.from(await heard, 'base64')), message);

      const bytes = Buffer.from([0, 1, 2, 255]);
      assert.deepEqual(Buffer.from(await ask(sender, 'echo', bytes)), bytes);
      const large = 'ü'.repeat(500_000);
      assert.equal(await ask(sender, 'echo', large), large);

      if (transports.length === 2) {
        assert.equal(sender.io.engine.transport.name, 'websocket');
      }

      sender.disconnect();
      reader.disconnect();
    });

    await sdk.call(`${version} ${name}, a bad token`, async () => {
      const socket = await opened(version, transports);
      const { RC, error } = await ask(socket, 'auth2', 'nobody-has-this', { CLIENT_KEY });
      assert.deepEqual([RC, error.code], [401, 'INVALID_TOKEN']);
      assert.ok((await ask(socket, 'auth2', TOKEN, { CLIENT_KEY: 'x' })).RC > 400);
      assert.equal((await ask(socket, 'auth', TOKEN)).RC, 0);
      socket.disconnect();
    });
  }
}

for (const socket of sockets) {
  socket.disconnect();
}

sdk.finish();
