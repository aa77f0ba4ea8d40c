// The present request as programs to copy.

import { useState } from "preact/hooks";

import { curl, manifest, python } from "../data/snippets.js";
import { html } from "../html.js";
import { t } from "../words/words.js";
import { Section } from "./section.js";

const KINDS = ["curl", "python", "manifest"];
const COPIED_MS = 2000;

export function Snippets({ desk, keyed }) {
  const [kind, setKind] = useState("curl");
  const wanted = { ...desk.wanted, text: desk.wanted.text || t("speak.example") };
  const code = {
    curl: () => curl(wanted, location.origin, keyed),
    python: () => python(wanted, location.origin, keyed),
    manifest: () => manifest(wanted, desk.engine?.longest ?? { "*": Infinity }),
  }[kind]();
  const key = keyed ? ["X-Api-Key: $DUBBING_API_KEY"] : [];
  const post = ["curl", ...key.map((one) => `-H "${one}"`), "--json @line.json"].join(" ");
  return html`<${Section} id="snippets" title=${t("snippets")}>
    <fieldset class="kinds" aria-labelledby="snippets">
      ${KINDS.map(
        (name) => html`<label key=${name}>
          <input
            type="radio"
            name="kind"
            value=${name}
            checked=${name === kind}
            onChange=${() => setKind(name)}
          />
          ${t(`snippets.${name}`)}
        </label>`,
      )}
      <${Copy} key=${kind} code=${code} />
    </fieldset>
    <pre class="code" tabindex="0" role="group" aria-labelledby="snippets">
      <code dir="ltr">${code}</code>
    </pre>
    <p>
      <small>
        ${t(`snippets.${kind}.how`)}
        ${kind === "manifest" && html` <code>${post} ${location.origin}/v1/jobs</code>`}
        ${keyed && ` ${t("snippets.key")}`}
      </small>
    </p>
  <//>`;
}

function Copy({ code }) {
  const [done, setDone] = useState("");

  async function copy() {
    try {
      await navigator.clipboard.writeText(code);
      setDone("snippets.copied");
    } catch {
      // Browsers let only pages by HTTPS, or of this machine, write what people copy.
      getSelection().selectAllChildren(document.querySelector(".code"));
      setDone("snippets.selected");
    }
    setTimeout(() => setDone(""), COPIED_MS);
  }

  return html`<span class="copy">
    <small role="status">${done && t(done)}</small>
    <button type="button" class="outline secondary small" onClick=${copy}>
      ${t("snippets.copy")}
    </button>
  </span>`;
}
