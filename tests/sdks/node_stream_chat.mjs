// Drive the official `stream-chat` package, unmodified.
// Reads CHAT_BASE_URL (may end in a path) and SANDBOX_CONTROL_URL.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { StreamChat } from 'stream-chat';
import {
  Checklist,
  apiKey,
  apiSecret,
  baseUrl,
  headers,
  lastReceived,
  orderFault,
  refused,
  run,
  sha256,
  versionOf,
  webhook,
} from './checklist.mjs';

const sdk = new Checklist('npm stream-chat', versionOf('stream-chat'));
const client = new StreamChat(apiKey, apiSecret, {
  baseURL: baseUrl,
  axiosRequestConfig: { headers },
});
const [ann, bob, messageId] = [`ann-${run}`, `Bob_${run}`, `first-${run}`];
const data = { name: 'Room', members: [ann], created_by_id: ann };
const channel = client.channel('messaging', `room-${run}`, data);

await sdk.call('upsertUsers', async () => {
  const { users } = await client.upsertUsers([{ id: ann, name: 'Ann', shoe: 41 }, { id: bob }]);
  assert.equal(users[ann].shoe, 41);
  assert.equal(users[bob].role, 'user');
});

await sdk.call('partialUpdateUser', async () => {
  const { users } = await client.partialUpdateUser({
    id: ann,
    set: { name: 'Änn' },
    unset: ['shoe'],
  });
  assert.equal(users[ann].name, 'Änn');
  assert.ok(!('shoe' in users[ann]));
});

await sdk.call('queryUsers, URL above 4,094 bytes', async () => {
  const ids = [ann, ...Array.from({ length: 240 }, (_, n) => `nobody-${n}`)];
  const { users } = await client.queryUsers({ id: { $in: ids } });
  assert.deepEqual(users.map((user) => user.id), [ann]);
  const { target } = await lastReceived();
  assert.ok(target.length > 4094 && target.length < 8000, `${target.length}`);
});

await sdk.call('channel.create', async () => {
  const state = await channel.create();
  assert.equal(state.channel.cid, channel.cid);
  assert.equal(state.channel.name, 'Room');
  assert.equal(state.channel.created_by.id, ann);
});

await sdk.call('channel.addMembers', async () => {
  const { members } = await channel.addMembers([bob]);
  assert.deepEqual(members.map((member) => member.user_id).sort(), [bob, ann].sort());
});

await sdk.call('channel.queryMembers', async () => {
  const { members } = await channel.queryMembers({ id: bob });
  assert.deepEqual(members.map((member) => member.user.id), [bob]);
});

await sdk.call('channel.sendMessage', async () => {
  const message = { id: messageId, text: 'héllo <b>', user_id: ann, mood: 'fine' };
  const answer = await channel.sendMessage(message);
  assert.equal(answer.message.text, 'héllo <b>');
  assert.equal(answer.message.mood, 'fine');
  assert.equal(answer.message.user.id, ann);
});

await sdk.call('channel.sendMessage, id exists', async () => {
  const again = { id: messageId, text: 'again', user_id: ann };
  const error = await refused(channel.sendMessage(again));
  assert.equal(error.code, 4);
  assert.equal(error.status, 400);
  assert.match(error.message, /already exists/);
});

await sdk.call('channel.sendMessage, too long', async () => {
  const error = await refused(channel.sendMessage({ text: 'x'.repeat(5001), user_id: ann }));
  assert.equal(error.code, 20);
  assert.equal(error.status, 400);
});

await sdk.call('getMessage', async () => {
  const { message } = await client.getMessage(messageId);
  assert.equal(message.channel.cid, channel.cid);
});

await sdk.call('updateMessage', async () => {
  const { message } = await client.updateMessage({ id: messageId, text: 'better' }, ann);
  assert.equal(message.text, 'better');
});

await sdk.call('partialUpdateMessage', async () => {
  const change = { set: { mood: 'best' } };
  const { message } = await client.partialUpdateMessage(messageId, change, ann);
  assert.equal(message.mood, 'best');
});

await sdk.call('pinMessage', async () => {
  const { message } = await client.pinMessage(messageId, null, ann);
  assert.equal(message.pinned, true);
});

await sdk.call('channel.getReplies', async () => {
  await channel.sendMessage({ text: 'so do I', parent_id: messageId, user_id: bob });
  const { messages } = await channel.getReplies(messageId, {});
  assert.deepEqual(messages.map((message) => message.text), ['so do I']);
});

await sdk.call('channel.sendReaction', async () => {
  const { message } = await channel.sendReaction(messageId, { type: 'love', user_id: bob });
  assert.deepEqual(message.reaction_counts, { love: 1 });
});

await sdk.call('channel.getReactions', async () => {
  const { reactions } = await channel.getReactions(messageId, {});
  assert.deepEqual(reactions.map((reaction) => reaction.user_id), [bob]);
});

await sdk.call('channel.deleteReaction', async () => {
  const { message } = await channel.deleteReaction(messageId, 'love', bob);
  assert.deepEqual(message.reaction_counts, {});
});

await sdk.call('search', async () => {
  const { results } = await client.search({ cid: channel.cid }, 'BETTER');
  assert.deepEqual(results.map((hit) => hit.message.id), [messageId]);
});

await sdk.call('channel.sendEvent', async () => {
  const { event } = await channel.sendEvent({ type: 'typing.start', user_id: ann });
  assert.equal(event.type, 'typing.start');
});

await sdk.call('queryChannels', async () => {
  const found = await client.queryChannels({ members: { $in: [bob] } }, { created_at: -1 });
  assert.deepEqual(found.map((one) => one.cid), [channel.cid]);
});

await sdk.call('channel.updatePartial', async () => {
  const answer = await channel.updatePartial({ set: { color: 'green' }, unset: ['name'] });
  assert.equal(answer.channel.color, 'green');
  assert.ok(!('name' in answer.channel));
});

let fileUrl;
await sdk.call('channel.sendFile, from a Buffer', async () => {
  const bytes = randomBytes(200_000);
  const answer = await channel.sendFile(bytes, 'ä b.bin', 'application/octet-stream', { id: ann });
  assert.equal(answer.sha256, sha256(bytes));
  assert.equal((await lastReceived()).framing, 'sized');
  fileUrl = answer.file;
});

await sdk.call('channel.sendFile, from a stream of unknown length', async () => {
  const pieces = Array.from({ length: 20 }, () => randomBytes(10_000));
  const source = Readable.from(pieces, { objectMode: false });
  const answer = await channel.sendFile(source, 'stream.bin', undefined, { id: ann });
  assert.equal(answer.size, 200_000);
  assert.equal(answer.sha256, sha256(Buffer.concat(pieces)));
  assert.equal((await lastReceived()).framing, 'chunked');
});

await sdk.call('channel.sendImage', async () => {
  const answer = await channel.sendImage(Buffer.from('dot'), 'dot.png', 'image/png', { id: ann });
  assert.equal(answer.size, 3);
});

await sdk.call('channel.deleteFile', async () => {
  await channel.deleteFile(fileUrl);
  const error = await refused(channel.deleteFile(fileUrl));
  assert.equal(error.code, 16);
});

await sdk.call('banUser', async () => {
  await client.banUser(bob, { banned_by_id: ann, reason: 'spam' });
  const { bans } = await client.queryBannedUsers({ user_id: bob });
  assert.deepEqual(bans.map((ban) => [ban.user.id, ban.reason]), [[bob, 'spam']]);
});

await sdk.call('unbanUser', async () => {
  await client.unbanUser(bob);
  assert.deepEqual((await client.queryBannedUsers({ user_id: bob })).bans, []);
});

await sdk.call('muteUser', async () => {
  const { mute } = await client.muteUser(bob, ann);
  assert.equal(mute.target.id, bob);
});

await sdk.call('flagMessage', async () => {
  const { flag } = await client.flagMessage(messageId, { user_id: bob });
  assert.equal(flag.target_message_id, messageId);
});

await sdk.call('updateAppSettings', async () => {
  await client.updateAppSettings({ webhook_url: `https://hooks.invalid/${run}` });
  const { app } = await client.getAppSettings();
  assert.equal(app.webhook_url, `https://hooks.invalid/${run}`);
});

await sdk.call('listChannelTypes', async () => {
  assert.ok('messaging' in (await client.listChannelTypes()).channel_types);
});

await sdk.call('getRateLimits', async () => {
  const answer = await client.getRateLimits({ serverSide: true, endpoints: ['QueryUsers'] });
  assert.ok(answer.server_side.QueryUsers.limit > 0);
});

await sdk.call('revokeUserToken', async () => {
  const { users } = await client.revokeUserToken(bob, new Date('2030-01-01'));
  assert.match(users[bob].revoke_tokens_issued_before, /^2030-01-01/);
});

await sdk.call('channel without creator', async () => {
  const error = await refused(client.channel('messaging', `orphan-${run}`).create());
  assert.equal(error.code, 4);
  assert.equal(error.status, 400);
});

await sdk.call('429', async () => {
  await orderFault('status=429', '*/users');
  const error = await refused(client.queryUsers({ id: ann }));
  assert.equal(error.code, 9);
  assert.equal(error.status, 429);
  assert.equal(error.response.headers['x-ratelimit-remaining'], '0');
  assert.ok(Number(error.response.headers['x-ratelimit-reset']) > Date.now() / 1000 - 60);
});

await sdk.call('deleteMessage', async () => {
  assert.equal((await client.deleteMessage(messageId)).message.type, 'deleted');
  await client.deleteMessage(messageId, true);
  assert.equal((await refused(client.getMessage(messageId))).code, 16);
});

await sdk.call('deactivateUser', async () => {
  assert.ok((await client.deactivateUser(bob)).user.deactivated_at);
});

await sdk.call('channel.delete', async () => {
  assert.ok((await channel.delete()).channel.deleted_at);
});

await sdk.call('deleteUsers', async () => {
  const { task_id: task } = await client.deleteUsers([bob], { user: 'hard' });
  assert.equal((await client.getTask(task)).status, 'completed');
});

await sdk.call('createToken', async () => {
  const [, claims] = client.createToken(ann).split('.');
  assert.deepEqual(JSON.parse(Buffer.from(claims, 'base64url')), { user_id: ann });
});

await sdk.call('verifyWebhook', async () => {
  const other = new StreamChat(apiKey, webhook.secret);
  assert.ok(other.verifyWebhook(webhook.body, webhook.signature));
  assert.ok(!other.verifyWebhook(`${webhook.body} `, webhook.signature));
});

sdk.finish();
