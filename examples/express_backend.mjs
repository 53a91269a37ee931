// The smallest backend in Express: whoever is logged in gets a chat token from the sidecar.
import cookieSession from 'cookie-session';
import express from 'express';

const { SIDECAR_URL, SIDECAR_KEY, IMKIT_KEY, CLIENT_KEY, CHAT_URL, SESSION_SECRET, PORT } = process.env;
const USERS = new Map([['1', 'Alice'], ['2', 'Bob']]); // a toy: here come your own users, and your own login
const KEYS = { 'X-Chatproxy-Key': SIDECAR_KEY, 'IM-API-KEY': IMKIT_KEY, 'Content-Type': 'application/json' };

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Ask the sidecar. `fetch` keeps its connections. */
async function ask(method, path, body) {
  const options = { method, headers: KEYS, body: JSON.stringify(body), signal: AbortSignal.timeout(5000) };
  const answer = await fetch(SIDECAR_URL + path, options);
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
  return answer.json();
}

const who = (request) => ({ name: USERS.get(request.session.user) ?? null });

const app = express();
app.use(cookieSession({ name: 'express_demo', secret: SESSION_SECRET, sameSite: 'lax' })); // secure: true where you have TLS
app.use((request, response, next) => {
  // A POST of our own page only: no other may send this header, since we allow no CORS.
  if (request.method === 'POST' && !request.get('X-Chat-Page')) throw new Refusal(403, 'This comes from another page.');
  next();
});
app.use(express.urlencoded());
app.use(express.static(new URL('page', import.meta.url).pathname));

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
  const expiresIn = (Date.parse(expirationDate) - Date.now()) / 1000; // not a moment: the page's clock may be wrong
  const widget = await ask('GET', `/imbachat/widget/${id}`);
  response.json({ token, expiresIn, url: CHAT_URL, clientKey: CLIENT_KEY, widget });
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
