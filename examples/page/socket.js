import { io } from './socket.io.js';
import { element, note, show } from './view.js';

/** IMKit's socket: it authenticates with the token, and again with each new one. */
export class Socket {
  #token;
  #fail;
  #socket = null;
  #bound = null; // the grant with which it is signed in
  #signingIn = null;

  constructor(token, fail) {
    this.#token = token;
    this.#fail = fail;
  }

  /** There is a new token: open it where it is not, sign in again where it is. */
  renew(grant) {
    if (this.#socket?.connected) this.#signIn();
    else if (this.#socket) this.open();
    else this.#make(grant.url);
  }

  /** Open it again, after the server ended it. */
  open() {
    this.#socket?.connect();
  }

  close() {
    this.#socket?.disconnect();
    this.#socket = null;
    this.#bound = null;
    show('socket', 'none', 'none');
    element('connect').hidden = true;
  }

  #make(url) {
    show('socket', 'none', 'connecting');
    this.#socket = io(url, { path: '/imkit/socket.io', transports: ['websocket'], forceNew: true });
    this.#socket.on('connect', () => this.#signIn());
    this.#socket.on('connect_error', () => show('socket', 'bad', 'cannot connect; it tries again'));
    this.#socket.on('disconnect', (reason) => this.#onEnd(reason));
  }

  #signIn() {
    const fail = (error) => {
      if (this.#socket?.connected) this.#fail(error); // else it tries again
    };
    const end = () => {
      this.#signingIn = null;
    };
    this.#signingIn ??= this.#authenticate().catch(fail).finally(end);
  }

  async #authenticate() {
    const socket = this.#socket;
    let [grant, answer, refusals] = [null, null, 0];

    do { // once more where the token is refused, or a newer one has come
      grant = await this.#token.get();
      answer = await socket.timeout(10_000).emitWithAck('auth', grant.token);
      if (answer.RC === 401 && refusals++ === 0) await this.#token.renew(grant);
    } while (!this.#token.isNewest(grant) && socket.connected);

    if (socket !== this.#socket) return; // closed meanwhile

    const isIn = answer.RC === 0;
    this.#bound = isIn ? grant : null;
    element('connect').hidden = true;
    const text = isIn ? `signed in as ${answer.result.client.nickname}` : answer.RM;
    show('socket', isIn ? 'good' : 'bad', text);
    note(isIn ? 'The socket signed in.' : 'The socket was refused.');
  }

  async #onEnd(reason) {
    if (reason === 'io client disconnect') return;
    show('socket', 'none', 'connecting again');
    if (reason !== 'io server disconnect') return; // it connects again by itself

    // The server ended it, since its token has ended. Where ours is newer, it is on its way.
    const bound = this.#bound;
    await this.#token.settled();

    if (bound !== null && this.#token.isNewest(bound)) {
      // Revoked, or replaced by another page of this person: those two must not fight for it.
      this.#token.rest();
      show('socket', 'bad', 'ended: the token was revoked, or another page has a newer one');
      element('connect').hidden = false;
      note('The socket was ended by the sidecar.');
    } else {
      this.open();
    }
  }
}
