// Who looks at the page, and whether the gateway answers it.

import { ask, call } from "./call.js";

const AGAIN_MS = 3000;

export class Session {
  // "connecting", "open" (no news is awaited), "live", "away" or "signed-out"
  phase = "connecting";
  // Why the gateway or a part of it is away, in its own words.
  fault = "";
  // As /session tells; null for nobody. Whose session has ended is known on: the page keeps what was
  // typed until the same tenant has signed in again.
  person = null;
  // When the gateway was heard last, in milliseconds since 1970; 0 for never.
  heard = 0;
  // How many times the gateway was found: what a page shows is loaded anew each time.
  opened = 0;

  #again = 0;

  // changed: called after each change.
  constructor(changed) {
    this.changed = changed;
  }

  // Asks who looks at the page, again and again while nobody answers.
  async open() {
    try {
      this.person = await call("GET", "/session");
      this.heard = Date.now();
      this.opened += 1;
      this.#turn("open");
    } catch (fault) {
      this.#fail(fault);
    }
  }

  // Calls the gateway; throws Fault. A page that lost its session or the gateway shows that.
  call(method, path, body) {
    return this.#try(() => call(method, path, body));
  }

  // The same, for an answer that is no JSON.
  ask(method, path, body) {
    return this.#try(() => ask(method, path, body));
  }

  async #try(asking) {
    try {
      const said = await asking();
      this.heard = Date.now();
      return said;
    } catch (fault) {
      if (fault.status === 0 || fault.status === 401) this.#fail(fault);
      throw fault;
    }
  }

  get isOver() {
    return this.phase === "signed-out";
  }

  may(scope) {
    // As the gateway takes it: who administers may do everything.
    return this.person?.scopes.some((one) => one === scope || one === "admin") ?? false;
  }

  // Begins a session with a key; throws Fault.
  async signIn(key) {
    await call("POST", "/session", { key });
    await this.open();
  }

  async signOut() {
    try {
      await call("DELETE", "/session");
      this.person = null;
      this.#end();
    } catch (fault) {
      this.#fail(fault);
    }
  }

  // Once the session is over, only signing in changes that.
  become(phase, fault = "") {
    if (!this.isOver) this.#turn(phase, fault);
  }

  // The gateway is gone, or so it seems: the page asks for it until it is back.
  lose(fault = "") {
    if (this.isOver) return;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.open(), AGAIN_MS);
    this.become("away", fault);
  }

  #fail(fault) {
    if (fault.status === 401) this.#end();
    else this.lose(fault.message);
  }

  #end() {
    clearTimeout(this.#again);
    this.#turn("signed-out");
  }

  #turn(phase, fault = "") {
    this.phase = phase;
    this.fault = fault;
    this.changed();
  }
}
