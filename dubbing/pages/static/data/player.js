// Plays one sound at a time: a text that the gateway has spoken, or a file of the person's.

export class Player {
  #session;
  #changed = () => {};
  #audio = null;
  #turn = 0;

  constructor(session) {
    this.#session = session;
  }

  // changed: called with {name, busy, on, fault}, of what was asked last.
  show(changed) {
    this.#changed = changed;
  }

  // asked: the body of /api/synthesize.
  async speak(name, asked) {
    const turn = this.#begin();
    this.#changed({ name, busy: true });
    try {
      const sound = await this.#session.call("POST", "/api/synthesize", asked);
      if (turn === this.#turn) await this.#play(name, sound);
    } catch (fault) {
      if (turn === this.#turn) this.#changed({ name, fault: fault.message });
    }
  }

  async playFile(name, file) {
    this.#begin();
    try {
      await this.#play(name, file);
    } catch {
      this.#changed({ name, fault: "" });
    }
  }

  stop() {
    this.#begin();
    this.#changed({});
  }

  #begin() {
    this.#audio?.pause();
    if (this.#audio) URL.revokeObjectURL(this.#audio.src);
    this.#audio = null;
    this.#turn += 1;
    return this.#turn;
  }

  async #play(name, sound) {
    this.#audio = new Audio(URL.createObjectURL(sound));
    this.#audio.onended = () => this.stop();
    await this.#audio.play();
    this.#changed({ name, on: true });
  }
}
