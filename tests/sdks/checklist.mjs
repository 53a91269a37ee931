// Keeps count for the Node scripts: what was called, what failed, one JSON line at the end.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const apiKey = process.env.CHAT_API_KEY ?? 'dummy';
export const apiSecret = process.env.CHAT_API_SECRET ?? 'dummy';
// Headers that every call is to have: the key of a caller of the access document, if there is one.
export const headers = process.env.CHAT_ACCESS_KEY
  ? { 'X-Chatproxy-Key': process.env.CHAT_ACCESS_KEY }
  : {};
export const baseUrl = process.env.CHAT_BASE_URL;
export const run = randomBytes(4).toString('hex');

// The vendor's scheme, worked out by hand once: HMAC-SHA256 over the raw body, hex, lower case.
export const webhook = {
  secret: 'secret-xyz',
  body: '{"type": "message.new", "message": {"text": "é <b>&</b> \u2028"}}',
  signature: 'f71714ef2b9d3b0c1bd8ffefe9c921a8c7790a78376dba3739957dd30aebd6b6',
};

// The version of a package as installed next to this file.
export function versionOf(name) {
  const here = fileURLToPath(new URL('.', import.meta.url));
  return JSON.parse(readFileSync(join(here, 'node_modules', name, 'package.json'))).version;
}

export class Checklist {
  constructor(sdk, version) {
    Object.assign(this, { sdk, version, calls: [], failures: [] });
  }

  // Run one call with its assertions; a failed one does not stop those after it.
  async call(name, steps) {
    try {
      await steps();
      this.calls.push(name);
    } catch (error) {
      this.failures.push(`${name}: ${error?.name}: ${error?.message}`.slice(0, 2000));
    }
  }

  // The clients keep timers and connections that would keep the process alive, so end it.
  finish() {
    const status = this.failures.length ? 1 : 0;
    process.stdout.write(`${JSON.stringify(this)}\n`, () => process.exit(status));
  }
}

// Ask the stand-in itself, not through the sidecar.
async function control(method, path, body) {
  const root = process.env.SANDBOX_CONTROL_URL.replace(/\/$/, '');
  const answer = await fetch(`${root}/_sandbox/control/${path}`, {
    method,
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `control ${path}: ${answer.status}`);
  return answer.json();
}

export const orderFault = (fault, path) => control('POST', 'faults', { fault, path });

// What reached the stand-in last.
export async function lastReceived() {
  return (await control('GET', 'journal')).entries.at(-1);
}

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

// The error that a promise ends with.
export async function refused(promise) {
  return promise.then(
    () => assert.fail('was not refused'),
    (error) => error,
  );
}
