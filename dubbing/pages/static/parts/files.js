// The files of a new job, dropped or chosen, and the progress of each upload.

import { useState } from "preact/hooks";

import { html } from "../html.js";
import { bytes, percent } from "../words/figures.js";
import { named, t } from "../words/words.js";
import { Mark } from "./mark.js";
import { Name } from "./name.js";
import { Section } from "./section.js";

export function Files({ draft }) {
  const [over, setOver] = useState(false);
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    draft.add([...event.dataTransfer.files]);
  };
  const drag = (event) => {
    event.preventDefault();
    setOver(true);
  };
  const choose = async (event) => {
    const { files } = event.target;
    await draft.add([...files]);
    // The same file may be chosen again.
    event.target.value = "";
  };
  return html`<${Section} id="files" title=${t("files")}>
    <label
      class=${over ? "drop over" : "drop"}
      onDragOver=${drag}
      onDragLeave=${() => setOver(false)}
      onDrop=${drop}
    >
      <input class="unseen" type="file" multiple onChange=${choose} />
      <strong>${t("files.drop")}</strong>
    </label>
    ${draft.files.length > 0 &&
    html`<ul class="files">
      ${draft.files.map((one) => html`<${File} key=${one.file.name} one=${one} draft=${draft} />`)}
    </ul>`}
    ${draft.missing.length > 0 &&
    html`<p class="trouble" role="status">
      ${t("files.missing")} <bdi>${draft.missing.join(", ")}</bdi>
    </p>`}
  <//>`;
}

function File({ one, draft }) {
  const { file, upload } = one;
  const part = draft.partOf(one);
  const sent = upload && file.size ? (upload.sent / file.size) * 100 : 0;
  return html`<li>
    <strong>${part ? t(`file.${part}`) : t("file.unused")}</strong>
    <span class="what"><${Name} of=${file.name} /> <small>${bytes(file.size)}</small></span>
    <span class="way">
      ${upload && !upload.source
        ? html`<progress max="100" value=${sent} aria-label=${t("file.sent")}></progress>
            <small>${percent(sent)}</small>`
        : !one.fault && html`<${Mark} tone="good">${t(upload ? "file.there" : "file.read")}<//>`}
    </span>
    <${State} one=${one} />
    <button
      class="outline secondary"
      aria-label=${t("file.remove.name", { name: file.name })}
      onClick=${() => draft.remove(one)}
    >
      ${t("file.remove")}
    </button>
  </li>`;
}

// The state of a file: what it waits for, or why it stopped.
function State({ one }) {
  const fault = one.fault || one.upload?.fault;
  if (fault) return html`<small class="bad" role="alert"><bdi>${named("file-fault", fault)}</bdi></small>`;
  if (!one.upload || one.upload.source) return null;
  if (one.upload.waits) return html`<small role="status">${t("file.waits")}</small>`;
  return one.upload.sent === one.file.size ? html`<small>${t("file.joins")}</small>` : null;
}
