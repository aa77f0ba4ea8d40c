// Signing in with an API key: the gateway gives the browser a session for it.

import { useEffect, useRef, useState } from "preact/hooks";

import { call } from "../data/call.js";
import { html } from "../html.js";
import { t } from "../words/words.js";

// ended: whether a person had signed in before. done: called after signing in.
export function SignIn({ ended, done }) {
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);

  const field = useRef(null);
  useEffect(() => field.current.focus(), []);

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
    <p>${t(ended ? "sign-in.ended" : "sign-in.intro")}</p>
    <label>
      ${t("sign-in.key")}
      <input
        ref=${field}
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
