// The smallest backend in Express: whoever is logged in gets a chat token from the sidecar.
import { fileURLToPath } from 'node:url';
import cookieSession from 'cookie-session';
import express from 'express';

const { SIDECAR_URL, SIDECAR_KEY, IMKIT_KEY, SESSION_SECRET, PORT, ...env } = process.env;
const USERS = new Map([['1', 'Alice'], ['2', 'Bob']]); // a toy: here come yours, and your own login
const KEYS = { 'X-Chatproxy-Key': SIDECAR_KEY, 'IM-API-KEY': IMKIT_KEY };

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Ask the sidecar. `fetch` keeps its connections. */
async function ask(method, path, body) {
  const headers = { ...KEYS, 'Content-Type': 'application/json' };
  const signal = AbortSignal.timeout(5000);
  const options = { method, headers, body: JSON.stringify(body), signal };
  const answer = await fetch(SIDECAR_URL + path, options);
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
  return answer.json();
}

const app = express();
const secure = false; // true where you have TLS
app.use(cookieSession({ name: 'express_demo', secret: SESSION_SECRET, sameSite: 'lax', secure }));
app.use((request, response, next) => {
  // A POST of our own page only: no other may send this header, since we allow no CORS.
  const isOurs = request.method !== 'POST' || request.get('X-Chat-Page');
  next(isOurs ? undefined : new Refusal(403, 'This comes from another page.'));
});
app.use(express.urlencoded());
app.use(express.static(fileURLToPath(new URL('page', import.meta.url))));

const who = (request) => ({ name: USERS.get(request.session.user) ?? null });

app.get('/session', (request, response) => response.json(who(request)));

app.post('/login', (request, response) => {
  if (!USERS.has(request.body?.user)) throw new Refusal(401, 'There is no such user.');
  request.session.user = request.body.user;
  response.json(who(request));
});

app.post('/chat', async (request, response) => {
  const id = request.session.user;
  if (!id) throw new Refusal(401, 'Log in first.');
  const profile = { _id: id, nickname: USERS.get(id), issueAccessToken: true };
  const { token, expirationDate } = (await ask('POST', '/imkit/admin/clients', profile)).result;
  // Not a moment: the page's clock may be wrong.
  const expiresIn = (Date.parse(expirationDate) - Date.now()) / 1000;
  const widget = await ask('GET', `/imbachat/widget/${id}`);
  response.json({ token, expiresIn, url: env.CHAT_URL, clientKey: env.CLIENT_KEY, widget });
});

app.post('/logout', async (request, response) => {
  const id = request.session.user;
  request.session.user = undefined;
  if (id) await ask('DELETE', `/imkit/admin/clients/${id}/token`, {}); // all of this user's tokens
  response.json(who(request));
});

app.use((error, request, response, next) => {
  if (response.headersSent) return next(error);
  if (error.status) return response.status(error.status).json({ error: error.message });
  console.warn('the sidecar:', error.message);
  return response.status(502).json({ error: 'The chat cannot be reached. Try again soon.' });
});

app.listen(Number(PORT), '127.0.0.1');
