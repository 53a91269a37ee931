// What the official Node.js SDKs say of webhooks: {name: base64} on stdin, verdicts on stdout.

import { readFileSync } from 'node:fs';
import { StreamClient } from '@stream-io/node-sdk';
import { StreamChat } from 'stream-chat';

const { bodies, secret, signature } = JSON.parse(readFileSync(0, 'utf8'));
const sdks = {
  'npm stream-chat': new StreamChat('key', secret),
  '@stream-io/node-sdk': new StreamClient('key', secret),
};

function says(client, body) {
  try {
    client.verifyAndParseWebhook(Buffer.from(body, 'base64'), signature);
    return true;
  } catch {
    return false;
  }
}

const said = Object.entries(sdks).map(([sdk, client]) => [
  sdk,
  Object.fromEntries(Object.entries(bodies).map(([name, body]) => [name, says(client, body)])),
]);
console.log(JSON.stringify(Object.fromEntries(said)));
