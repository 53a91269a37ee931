import { ChatToken } from './chat-token.js';
import { Socket } from './socket.js';
import { element, note, show, showProblem, showRooms, showWidget } from './view.js';

class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

const tell = (grant, error) => (grant ? onGrant(grant) : fail(error));
const token = new ChatToken(() => backend('chat', {}), tell);
const socket = new Socket(token, fail);
let granted = 0;

/** Ask our own backend. Throws what people can read, with the status if there is one. */
async function backend(path, fields) {
  // The header says that this page sent it: no other site's page could.
  const headers = { 'X-Chat-Page': '1' };
  const post = fields && { method: 'POST', headers, body: new URLSearchParams(fields) };
  const answer = await fetch(path, { ...post, signal: AbortSignal.timeout(15_000) }).catch(() => {
    throw new Refused('The backend does not answer. Is it running?');
  });
  const { status } = answer;
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(body.error ?? `The backend answers ${status}.`, status);
  return body;
}

/** Make a call on the client door, as often as twice: a token may have been revoked. */
async function call(path, body) {
  const grant = await token.get();
  let answer = await send(grant, path, body);

  if (answer.status === 401) {
    note('401: the token was refused. Renewed once, and the call repeated.');
    answer = await send(await token.renew(grant), path, body);
  }

  const { result, RM } = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(`The chat answers ${answer.status}: ${RM}`);
  return { status: answer.status, result };
}

async function send(grant, path, body) {
  const options = {
    method: body ? 'POST' : 'GET',
    headers: {
      'IM-Client-Key': grant.clientKey,
      'IM-Authorization': grant.token,
      ...(body && { 'Content-Type': 'application/json' }),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(15_000),
  };
  return fetch(grant.url + path, options).catch(() => {
    throw new Refused('The client door does not answer. Is the sidecar running?');
  });
}

function onGrant(grant) {
  granted += 1;
  showProblem();
  showWidget(grant.widget);
  element('renewals').textContent = granted > 1 ? `Renewals: ${granted - 1}.` : '';
  note(granted > 1 ? 'The token was renewed.' : 'The backend got a token from the sidecar.');
  showToken();
  socket.renew(grant);
}

function showToken() {
  const seconds = Math.round(token.left / 1000);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  show('token', seconds ? 'good' : 'none', seconds ? `alive, ends in ${clock}` : 'none');
}

function fail(error) {
  if (error.status === 401) showPerson(null); // the session is over, too
  showProblem(error.message);
}

function showPerson(name) {
  element('login').hidden = name !== null;
  element('chat').hidden = name === null;
  element('name').textContent = name ?? '';

  if (name === null) {
    token.forget();
    socket.close();
    granted = 0;
    for (const id of ['events', 'rooms', 'widget']) element(id).replaceChildren();
    show('call', 'none', 'none yet');
    showToken();
  }
}

async function enter(name) {
  showPerson(name);
  if (name === null) return;
  await token.get();
}

async function listRooms() {
  const { status, result } = await call('/imkit/rooms');
  const rooms = result.totalCount === 1 ? 'one room' : `${result.totalCount} rooms`;
  show('call', 'good', `${status}, ${rooms}`);
  showRooms(result.data);
}

async function openRoom() {
  const name = `Lunch at ${new Date().toLocaleTimeString('en-GB')}`;
  const { status, result } = await call('/imkit/rooms', { name, members: ['1', '2'] });
  note(`Opened a room: ${result.name}`);
  show('call', 'good', `${status}, opened`);
  await listRooms();
}

/** Let a button do something, and show what goes wrong. */
function does(id, action, event = 'click') {
  element(id).addEventListener(event, (happened) => {
    happened.preventDefault();
    showProblem();
    action(happened).catch(fail);
  });
}

does('login', async (event) => {
  const { name } = await backend('login', new FormData(event.target));
  await enter(name);
}, 'submit');
does('logout', async () => {
  showPerson(null);
  await backend('logout', {});
});
does('renew', async () => token.renew());
does('list', listRooms);
does('open', openRoom);
does('connect', async () => socket.open());

setInterval(showToken, 1000);
backend('session').then(({ name }) => enter(name)).catch(fail);
