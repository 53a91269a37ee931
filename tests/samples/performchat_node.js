// The vendor's example for Node.js, unchanged but for the URL, with what it takes for granted
// around it. Prints, a line each, what it stored and what it answered.
const express = require('express');
const app = express();
app.use((req, res, next) => { req.user = { id: 'user_123' }; next(); });
const stored = [];
const db = { users: { update: async (change) => stored.push(change) } };

// --- the vendor's example, from here
const fetch = require('node-fetch');
async function generateChatToken(userId, expiresIn = '24h') {
try {
const response = await fetch('SIDECAR/rest/v1/auth/token', {
method: 'POST',
headers: {
'Content-Type': 'application/json',
},
body: JSON.stringify({
keyId: process.env.PERFORMCHAT_KEY_ID,
keySecret: process.env.PERFORMCHAT_KEY_SECRET,
userId: userId,
agentId: 'your-agent-id',
expiresIn: expiresIn // Optional - defaults to '24h'
})
});
if (!response.ok) {
throw new Error(`HTTP error! status: ${response.status}`);
}
const data = await response.json();
// ⚠️ IMPORTANT: Store user.id for token invalidation
return {
token: data.token,
userId: data.user.id, // Save this in your database!
externalId: data.user.externalId
};
} catch (error) {
console.error('Error generating token:', error);
throw error;
}
}
// Usage in your Express.js API
app.post('/api/chat/token', async (req, res) => {
try {
const userId = req.user.id;
const { token, userId: performChatUserId } = await generateChatToken(userId);
// Store performChatUserId in your database for later invalidation
await db.users.update({
where: { id: userId },
data: { performChatUserId }
});
res.json({ token });
} catch (error) {
res.status(500).json({ error: 'Failed to generate chat token' });
}
});
// --- to here

const server = app.listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${server.address().port}/api/chat/token`;
  const answer = await fetch(url, { method: 'POST' });
  console.log(JSON.stringify({ ...(await answer.json()), stored }));
  server.close();
});
