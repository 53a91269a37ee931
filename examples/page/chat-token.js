// The chat token of whoever is logged in, with all else that the backend grants beside it. It is
// kept in memory only: what is in storage stays there when the person has gone, for any script.

const EARLY = 0.8; // of its life: the rest is for tries that fail
const AGAIN = 10_000; // milliseconds until the next try
const LONGEST = 2 ** 31 - 1; // what `setTimeout` can wait; it takes more for nothing

export class ChatToken {
  #ask;
  #tell;
  #grant = null;
  #end = 0;
  #renewal = null;
  #timer = null;
  #person = 0;

  /**
   * `ask` fetches a grant, `{token, expiresIn, …}`. `tell` is called with each new one as
   * `tell(grant)`, and as `tell(null, error)` where a renewal failed that nobody waits for.
   */
  constructor(ask, tell) {
    this.#ask = ask;
    this.#tell = tell;
  }

  /** Milliseconds until its end: 0 where there is none, or where it is over. */
  get left() {
    return Math.max(0, this.#end - Date.now());
  }

  isNewest(grant) {
    return grant === this.#grant;
  }

  /** Return a grant that is good as far as is known here: from memory, if it can be. */
  async get() {
    return this.left ? this.#grant : this.renew();
  }

  /**
   * Return a new grant. Name the one that was refused: where another took its place meanwhile, that
   * is returned. However many ask at once, the backend is asked once.
   */
  async renew(refused = this.#grant) {
    if (this.left && refused !== this.#grant) return this.#grant;

    this.#renewal ??= this.#fetch();
    return this.#renewal;
  }

  /** Wait for a renewal that is under way, and for its failure, too. */
  async settled() {
    await this.#renewal?.catch(() => {});
  }

  /** Renew it no more by itself, only where somebody asks for it. */
  rest() {
    clearTimeout(this.#timer);
  }

  /** Forget it, and what is under way: the person has gone. */
  forget() {
    this.rest();
    this.#person += 1;
    this.#grant = null;
    this.#renewal = null;
    this.#end = 0;
  }

  async #fetch() {
    const person = this.#person;
    const isGone = () => person !== this.#person;
    this.rest();

    try {
      const grant = await this.#ask();
      if (isGone()) throw new Error('Logged out.');

      // By its length, not by its end: this clock may be wrong.
      this.#grant = grant;
      this.#end = Date.now() + grant.expiresIn * 1000;
      this.#renewIn(grant.expiresIn * 1000 * EARLY);
      this.#tell(grant);
      return grant;
    } catch (error) {
      if (!isGone()) this.#renewIn(AGAIN);
      throw error;
    } finally {
      if (!isGone()) this.#renewal = null;
    }
  }

  #renewIn(milliseconds) {
    const renew = () => this.renew().catch((error) => this.#tell(null, error));
    this.#timer = setTimeout(renew, Math.min(milliseconds, LONGEST));
  }
}
