// The guide's sample for Node.js, unchanged, with what it takes for granted around it.
// argv[2]: the user as JSON. The answer is printed as one line of JSON.
// node-fetch has to be 2, the last one that require() loads.
//
// The sample makes its own app and adds no middleware, so the login it assumes is put into
// every request beforehand.

const login = JSON.parse(process.argv[2]);
Object.defineProperty(require('express').request, 'user', {
  get: () => ({ ...login, avatarUrl: login.avatar }),
});

// --- the guide's sample, from here
const express = require('express');
const fetch = require('node-fetch');

const app = express();
const CHATSDK_API_URL = process.env.CHATSDK_API_URL;
const CHATSDK_API_KEY = process.env.CHATSDK_API_KEY;

app.post('/api/auth/chat-token', async (req, res) => {
  // 1. Verify user is authenticated (your existing auth middleware)
  const user = req.user; // From your auth system

  // 2. Generate ChatSDK token
  try {
    const response = await fetch(`${CHATSDK_API_URL}/tokens`, {
      method: 'POST',
      headers: {
        'X-API-Key': CHATSDK_API_KEY,
        'Content-Type': 'application/json'
      },
      body: JSON.stringify({
        userId: user.id,
        name: user.name,
        image: user.avatarUrl,
        custom: {
          email: user.email,
          department: user.department
        }
      })
    });

    const tokens = await response.json();
    res.json(tokens);
  } catch (error) {
    res.status(500).json({ error: 'Failed to generate chat token' });
  }
});
// --- to here

const server = app.listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${server.address().port}/api/auth/chat-token`;
  const answer = await fetch(url, { method: 'POST' });
  console.log(await answer.text());
  server.close();
});
