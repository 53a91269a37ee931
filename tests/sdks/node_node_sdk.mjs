// Drive the official `@stream-io/node-sdk` package, unmodified.
// Reads CHAT_BASE_URL (may end in a path) and SANDBOX_CONTROL_URL.

import assert from 'node:assert/strict';
import { File } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { StreamClient } from '@stream-io/node-sdk';
import {
  Checklist,
  apiKey,
  apiSecret,
  baseUrl,
  lastReceived,
  orderFault,
  refused,
  run,
  sha256,
  versionOf,
  webhook,
} from './checklist.mjs';

const sdk = new Checklist('npm @stream-io/node-sdk', versionOf('@stream-io/node-sdk'));
const client = new StreamClient(apiKey, apiSecret, { basePath: baseUrl });
const [ann, bob, messageId] = [`ann-${run}`, `Bob_${run}`, `first-${run}`];
const channel = client.chat.channel('messaging', `room-${run}`);

await sdk.call('upsertUsers', async () => {
  const wanted = [{ id: ann, name: 'Ann', custom: { shoe: 41 } }, { id: bob }];
  const { users, metadata } = await client.upsertUsers(wanted);
  assert.deepEqual(users[ann].custom, { shoe: 41 });
  assert.ok(users[bob].created_at instanceof Date);
  assert.equal(metadata.responseCode, 201);
  assert.ok(metadata.rateLimit.rateLimitRemaining > 0);
});

await sdk.call('updateUsersPartial', async () => {
  const update = { id: ann, set: { name: 'Änn' }, unset: ['shoe'] };
  const { users } = await client.updateUsersPartial({ users: [update] });
  assert.equal(users[ann].name, 'Änn');
  assert.deepEqual(users[ann].custom, {});
});

await sdk.call('queryUsers, URL above 4,094 bytes', async () => {
  const ids = [ann, ...Array.from({ length: 240 }, (_, n) => `nobody-${n}`)];
  const { users } = await client.queryUsers({
    payload: { filter_conditions: { id: { $in: ids } } },
  });
  assert.deepEqual(users.map((user) => user.id), [ann]);
  const { target } = await lastReceived();
  assert.ok(target.length > 4094 && target.length < 8000, `${target.length}`);
});

await sdk.call('channel.getOrCreate', async () => {
  const answer = await channel.getOrCreate({
    data: { created_by_id: ann, members: [{ user_id: ann }], custom: { name: 'Room' } },
  });
  assert.equal(answer.channel.cid, channel.cid);
  assert.equal(answer.channel.custom.name, 'Room');
  assert.ok(Math.abs(answer.channel.created_at - Date.now()) < 60_000);
});

await sdk.call('channel.update', async () => {
  const { members } = await channel.update({ add_members: [{ user_id: bob }] });
  assert.deepEqual(members.map((member) => member.user_id).sort(), [bob, ann].sort());
});

await sdk.call('channel.queryMembers', async () => {
  const payload = { filter_conditions: { id: bob } };
  const { members } = await channel.queryMembers({ payload });
  assert.deepEqual(members.map((member) => member.user.id), [bob]);
});

await sdk.call('channel.updateChannelPartial', async () => {
  const answer = await channel.updateChannelPartial({ set: { color: 'green' } });
  assert.equal(answer.channel.custom.color, 'green');
});

await sdk.call('channel.sendMessage', async () => {
  const { message } = await channel.sendMessage({
    message: { id: messageId, text: 'héllo', user_id: ann, custom: { mood: 'fine' } },
  });
  assert.equal(message.text, 'héllo');
  assert.deepEqual(message.custom, { mood: 'fine' });
});

await sdk.call('chat.getMessage', async () => {
  const { message } = await client.chat.getMessage({ id: messageId });
  assert.equal(message.channel.cid, channel.cid);
});

await sdk.call('chat.updateMessage', async () => {
  const { message } = await client.chat.updateMessage({
    id: messageId,
    message: { text: 'better', user_id: ann },
  });
  assert.equal(message.text, 'better');
});

await sdk.call('chat.updateMessagePartial', async () => {
  const { message } = await client.chat.updateMessagePartial({
    id: messageId,
    user_id: ann,
    set: { mood: 'best' },
  });
  assert.equal(message.custom.mood, 'best');
});

await sdk.call('chat.sendReaction', async () => {
  const { message } = await client.chat.sendReaction({
    id: messageId,
    reaction: { type: 'love', user_id: bob },
  });
  assert.deepEqual(message.reaction_counts, { love: 1 });
});

await sdk.call('chat.deleteReaction', async () => {
  const wanted = { id: messageId, type: 'love', user_id: bob };
  const { message } = await client.chat.deleteReaction(wanted);
  assert.deepEqual(message.reaction_counts, {});
});

await sdk.call('chat.search', async () => {
  const payload = { filter_conditions: { cid: channel.cid }, query: 'better' };
  const { results } = await client.chat.search({ payload });
  assert.deepEqual(results.map((hit) => hit.message.id), [messageId]);
});

await sdk.call('chat.queryChannels', async () => {
  const { channels } = await client.chat.queryChannels({
    filter_conditions: { members: { $in: [bob] } },
    sort: [{ field: 'created_at', direction: -1 }],
  });
  assert.deepEqual(channels.map((state) => state.channel.cid), [channel.cid]);
});

await sdk.call('channel.markRead', async () => {
  const { event } = await channel.markRead({ user_id: bob });
  assert.equal(event.type, 'message.read');
});

await sdk.call('uploadFile, deleteFile', async () => {
  const bytes = randomBytes(200_000);
  const file = new File([bytes], 'data.bin');
  const answer = await client.uploadFile({ file, user: { id: ann } });
  assert.equal(answer.sha256, sha256(bytes));
  await client.deleteFile({ url: answer.file });
  assert.equal((await refused(client.deleteFile({ url: answer.file }))).code, 16);
});

await sdk.call('uploadImage', async () => {
  const file = new File([Buffer.from('dot')], 'dot.png', { type: 'image/png' });
  const sizes = [{ width: 10, height: 10 }];
  const answer = await client.uploadImage({ file, user: { id: ann }, upload_sizes: sizes });
  assert.equal(answer.size, 3);
});

await sdk.call('moderation.ban, unban', async () => {
  await client.moderation.ban({ target_user_id: bob, banned_by_id: ann });
  const conditions = { filter_conditions: { user_id: bob } };
  const { bans } = await client.queryBannedUsers({ payload: conditions });
  assert.deepEqual(bans.map((ban) => ban.user.id), [bob]);
  await client.moderation.unban({ target_user_id: bob });
});

await sdk.call('updateApp, getApp', async () => {
  await client.updateApp({ webhook_url: `https://hooks.invalid/${run}` });
  const { app } = await client.getApp();
  assert.equal(app.webhook_url, `https://hooks.invalid/${run}`);
});

await sdk.call('createDevice, listDevices', async () => {
  await client.createDevice({ id: `phone-${run}`, push_provider: 'apn', user_id: ann });
  const { devices } = await client.listDevices({ user_id: ann });
  assert.deepEqual(devices.map((device) => device.id), [`phone-${run}`]);
});

await sdk.call('channel without creator', async () => {
  const orphan = client.chat.channel('messaging', `orphan-${run}`);
  const error = await refused(orphan.getOrCreate());
  assert.equal(error.code, 4);
  assert.equal(error.metadata.responseCode, 400);
});

await sdk.call('message too long', async () => {
  const message = { text: 'x'.repeat(5001), user_id: ann };
  const error = await refused(channel.sendMessage({ message }));
  assert.equal(error.code, 20);
});

await sdk.call('429', async () => {
  await orderFault('status=429', '*/app');
  const error = await refused(client.getApp());
  assert.equal(error.code, 9);
  assert.equal(error.metadata.responseCode, 429);
  assert.equal(error.metadata.rateLimit.rateLimitRemaining, 0);
  assert.ok(error.metadata.rateLimit.rateLimitReset instanceof Date);
});

await sdk.call('chat.deleteMessage', async () => {
  const { message } = await client.chat.deleteMessage({ id: messageId, hard: true });
  assert.equal(message.type, 'deleted');
});

await sdk.call('channel.delete', async () => {
  assert.ok((await channel.delete()).channel.deleted_at instanceof Date);
});

await sdk.call('deleteUsers, getTask', async () => {
  const { task_id: id } = await client.deleteUsers({ user_ids: [bob], user: 'hard' });
  assert.equal((await client.getTask({ id })).status, 'completed');
});

await sdk.call('generateUserToken', async () => {
  const token = client.generateUserToken({ user_id: ann, validity_in_seconds: 60 });
  const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
  assert.equal(claims.user_id, ann);
  assert.equal(claims.exp - claims.iat, 60);
});

await sdk.call('verifyWebhook', async () => {
  const other = new StreamClient(apiKey, webhook.secret);
  assert.ok(other.verifyWebhook(webhook.body, webhook.signature));
  assert.ok(!other.verifyWebhook(`${webhook.body} `, webhook.signature));
});

sdk.finish();
