// A client of npm's stream-chat with the sidecar's token, before and after its revocation; a guest.
// Its calls go straight to the stand-in, as a browser's would; only the socket is left out.
import { StreamChat } from 'stream-chat';

const { SIDECAR_URL: sidecar, STAND_IN_URL: baseURL, CHAT_API_KEY: key } = process.env;
const asked = async (client) => {
  try {
    return (await client.queryUsers({ id: { $in: ['uma'] } })).users.length;
  } catch (error) {
    return `code ${error.code}`;
  }
};

const client = new StreamChat(key, { baseURL });
const given = await fetch(`${sidecar}/token/uma?upsert=true&expiresIn=600`);
const { token } = await given.json();
client.userID = 'uma';
await client._setToken({ id: 'uma' }, token);
const before = await asked(client);
const revoked = await fetch(`${sidecar}/users/uma/revoke-tokens`, { method: 'POST' });
const after = await asked(client);
await fetch(`${sidecar}/users/uma/revoke-tokens`, { method: 'POST', body: '{"before": null}' });
const undone = await asked(client);

// Where the guest would open its socket, what it would open it with is kept.
const guest = new StreamChat(key, { baseURL });
guest.connectUser = async (user, theirs) => ({ user, theirs });
const { user, theirs } = await guest.setGuestUser({ id: 'tom', name: 'Tom' });
console.log(JSON.stringify({ before, revoked: revoked.status, after, undone, guest: user.id, theirs: typeof theirs }));
process.exit(0);
