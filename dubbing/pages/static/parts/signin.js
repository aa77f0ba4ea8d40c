// Signing in with an API key: the gateway gives the browser a session for it.

import { useState } from "preact/hooks";

import { call } from "../data/call.js";
import { html } from "../html.js";
import { t } from "../words/words.js";

// done: called once somebody has signed in.
export function SignIn({ done }) {
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);

  async function signIn(event) {
    event.preventDefault();
    setBusy(true);
    try {
      await call("POST", "/session", { key: new FormData(event.target).get("key") });
      done();
    } catch (refused) {
      setFault(refused.status === 401 ? t("sign-in.unknown") : refused.message || t("away"));
      setBusy(false);
    }
  }

  return html`<form class="sign-in" onSubmit=${signIn}>
    <h1>${t("sign-in")}</h1>
    <p>${t("sign-in.intro")}</p>
    <label>
      ${t("sign-in.key")}
      <input
        name="key"
        type="password"
        autocomplete="current-password"
        required
        maxlength="200"
        aria-invalid=${fault ? "true" : null}
        aria-describedby="sign-in-help"
      />
      <small id="sign-in-help" role="alert">${fault || t("sign-in.help")}</small>
    </label>
    <button type="submit" aria-busy=${busy ? "true" : null} disabled=${busy}>
      ${t("sign-in")}
    </button>
  </form>`;
}
