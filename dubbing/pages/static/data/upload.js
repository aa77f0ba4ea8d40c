// A file on its way to the gateway: in chunks, and on from where it broke off, also after the page
// was closed and the same file was chosen again. The browser reads it as it is sent.

import { Fault } from "./call.js";

const CHUNK = 32 << 20;
const AGAIN_MS = 3000;
// After so long without progress, the connection is dead; once all has come, the gateway joins it.
const SILENT_MS = 30_000;
const JOINED_MS = 600_000;
// Statuses after which the same file may go on; 0 is no answer, 409 another place than was thought.
const PASSING = [0, 401, 408, 409, 429, 500, 502, 503, 504];
const KEPT = "dubbing-upload:";

export class Upload {
  // Bytes that have come.
  sent = 0;
  // As a job names it; null until all has come.
  source = null;
  // Whether it waits to go on.
  waits = false;
  // Why it will not go on.
  fault = "";

  #session;
  #file;
  #changed;
  #stopped = false;
  #request = null;

  // changed: called after each change.
  constructor(session, file, changed) {
    this.#session = session;
    this.#file = file;
    this.#changed = changed;
  }

  get id() {
    return this.source?.replace("upload:", "");
  }

  // Sends the file, and returns once it has come or cannot.
  async run() {
    while (!this.#stopped && !this.source && !this.fault) {
      try {
        // While nobody has signed in, or the gateway is away, the session asks for it.
        if (["signed-out", "away"].includes(this.#session.phase)) throw new Fault(0, "");
        await this.#goOn();
      } catch (fault) {
        await this.#take(fault);
      }
    }
  }

  stop() {
    this.#stopped = true;
    this.#request?.abort();
  }

  async #goOn() {
    const place = await this.#place();
    this.#become({ sent: place.offset, waits: false });
    for (let offset = place.offset; offset < this.#file.size; ) {
      if (this.#stopped) return;
      const end = Math.min(this.#file.size, offset + CHUNK);
      await this.#send(place.id, offset, end);
      offset = end;
    }
    const { source } = await this.#session.call("POST", `/v1/uploads/${place.id}/finish`);
    this.#become({ sent: this.#file.size, source });
  }

  // Returns the upload as the gateway has it; begins one that it does not have.
  async #place() {
    const kept = this.#kept();
    if (kept) {
      try {
        return await this.#session.call("GET", `/v1/uploads/${encodeURIComponent(kept)}`);
      } catch (fault) {
        if (fault.status !== 404) throw fault;
      }
    }
    const query = new URLSearchParams({ name: plain(this.#file.name), bytes: this.#file.size });
    const begun = await this.#session.call("POST", `/v1/uploads?${query}`);
    this.#keep(begun.id);
    return begun;
  }

  // Sends a chunk by XMLHttpRequest, which tells how far it came, as fetch does not.
  #send(id, offset, end) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      let silence = 0;
      const allow = (time) => {
        clearTimeout(silence);
        silence = setTimeout(() => request.abort(), time);
      };
      const fail = () => {
        clearTimeout(silence);
        reject(new Fault(request.status, message(request)));
      };
      request.open("PATCH", `/v1/uploads/${encodeURIComponent(id)}`);
      request.setRequestHeader("X-Requested-With", "dubbing");
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.setRequestHeader("Upload-Offset", offset);
      request.upload.onprogress = ({ loaded }) => {
        allow(SILENT_MS);
        this.#become({ sent: offset + loaded });
      };
      request.upload.onload = () => allow(JOINED_MS);
      request.onload = () => {
        if (request.status !== 204) return fail();
        clearTimeout(silence);
        resolve();
      };
      request.onerror = request.onabort = fail;
      this.#request = request;
      allow(SILENT_MS);
      request.send(this.#file.slice(offset, end));
    });
  }

  async #take(fault) {
    if (this.#stopped) return;
    if (!PASSING.includes(fault.status)) return this.#become({ fault: fault.message, waits: false });
    if (fault.status === 0 && !(await this.#readable())) {
      // The file was changed, or its disk was taken out.
      return this.#become({ fault: "unreadable", waits: false });
    }
    this.#become({ waits: true });
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }

  async #readable() {
    try {
      await this.#file.slice(0, 1).arrayBuffer();
      return true;
    } catch {
      return false;
    }
  }

  #become(news) {
    Object.assign(this, news);
    this.#changed();
  }

  get #name() {
    const { name, size, lastModified } = this.#file;
    return `${KEPT}${this.#session.person.tenant}:${size}:${lastModified}:${name}`;
  }

  #kept() {
    try {
      return localStorage.getItem(this.#name);
    } catch {
      return null;
    }
  }

  #keep(id) {
    try {
      localStorage.setItem(this.#name, id);
    } catch {
      // The browser keeps nothing for us; the file goes on as long as the page is open.
    }
  }
}

// Returns a name that the gateway takes, with its ending.
function plain(name) {
  return name.replace(/[\p{C}/\\]/gu, "_").slice(-120);
}

function message(request) {
  try {
    return JSON.parse(request.responseText).message;
  } catch {
    return "";
  }
}
