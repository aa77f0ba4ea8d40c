// /jobs/new: a job is put together, tried out, and started.

import { useEffect, useReducer } from "preact/hooks";

import { Draft } from "../data/draft.js";
import { html } from "../html.js";
import { DryRun, sorted } from "../parts/dryrun.js";
import { Files } from "../parts/files.js";
import { start } from "../parts/frame.js";
import { ScriptLines } from "../parts/scriptlines.js";
import { Section, Title } from "../parts/section.js";
import { Settings } from "../parts/settings.js";
import { Speakers } from "../parts/speakers.js";
import { t } from "../words/words.js";

// It outlives a session that has ended: who signs in again goes on.
let draft = null;

start(function Submit({ session }) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  if (draft?.tenant !== session.person.tenant) draft = new Draft(session);
  useEffect(() => {
    draft.show(redraw);
    draft.load();
  }, [session.opened]);
  if (!session.may("submit")) {
    return html`<${Title} of=${t("submit")} />
      <p>${t("submit.scope")}</p>`;
  }
  const lines = draft.lines;
  const found = sorted(draft, lines);
  const go = async () => {
    const id = await draft.start();
    if (id) location.assign(`/jobs/${encodeURIComponent(id)}`);
  };
  return html`<${Title} of=${t("submit")} />
    <${Files} draft=${draft} />
    <${Settings} draft=${draft} />
    <${Speakers} draft=${draft} session=${session} />
    <${Section} id="dry-run" title=${t("told")}>
      <div class="steps">
        <button
          class="secondary"
          disabled=${!draft.canCheck}
          aria-busy=${draft.busy === "checks" ? "true" : null}
          onClick=${() => draft.check()}
        >
          ${t("submit.check")}
        </button>
        <button
          disabled=${!draft.canStart}
          aria-busy=${draft.busy === "starts" ? "true" : null}
          onClick=${go}
        >
          ${t("submit.start")}
        </button>
        <small>${t(hint(draft))}</small>
      </div>
      <${DryRun} draft=${draft} found=${found} />
    <//>
    <${ScriptLines} lines=${lines} faults=${found.faults} cautions=${found.cautions} />`;
});

// What lacks before the job can be started.
function hint(draft) {
  if (draft.script?.fault) return "hint.mend";
  if (draft.lines.length === 0) return "hint.script";
  if (draft.sending) return "hint.sending";
  if (draft.language.trim() === "") return "hint.language";
  if (!draft.isTold) return "hint.check";
  return draft.told.preview ? "hint.start" : "hint.mend";
}
