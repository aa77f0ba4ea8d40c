// The status of a job, and the actions on the whole job.

import { html } from "../html.js";
import { number, span, time } from "../words/figures.js";
import { named, t } from "../words/words.js";
import { Confirm } from "./confirm.js";
import { Mark } from "./mark.js";
import { Reason, visible } from "./name.js";
import { Warnings } from "./warnings.js";

const TONES = { synthesizing: "busy", assembling: "busy", completed: "good", failed: "bad" };

// job: a Job. may: whether the person may change jobs. gone: called when the job was deleted.
export function JobHead({ job, may, gone }) {
  const { now } = job;
  const { total, done, failed } = now.lines;
  const said = t("job.progress.of", { done: number(done), total: number(total) });
  return html`<div class="job-head">
    <p class="facts">
      <${Mark} tone=${TONES[now.state] ?? "quiet"}>${named("job-state", now.state)}<//>
      <span><bdi>${visible(now.language)}</bdi></span>
      ${now.collection && html`<span><bdi>${visible(now.collection)}</bdi></span>`}
      ${now.created && html`<span>${time(now.created, { dateStyle: "medium", timeStyle: "short" })}</span>`}
      ${now.round > 1 && html`<span>${t("dub.round", { round: number(now.round) })}</span>`}
    </p>
    ${!job.ended &&
    html`<p class="progress">
      <progress aria-label=${said} max=${Math.max(1, total)} value=${done}></progress>
      <span>${said}</span>
      ${now.seconds_left !== null &&
      html`<span>${t("dub.left", { time: span(now.seconds_left) })}</span>`}
    </p>`}
    ${failed > 0 && html`<p class="bad">${t("job.failed", { count: number(failed) })}</p>`}
    <div role="status">
      ${now.lacks.length > 0 &&
      html`<${Reason} of=${t("job.lacks", { engines: now.lacks.join(", ") })} />`}
      ${now.loading.length > 0 &&
      html`<${Reason} of=${t("job.loading", { engines: now.loading.join(", ") })} />`}
      ${Object.entries({ ...now.unable, ...now.faults }).map(
        ([engine, why]) => html`<${Reason} key=${engine} of=${`${engine}: ${why}`} />`,
      )}
      ${now.error && html`<p class="trouble"><bdi>${visible(now.error.message)}</bdi></p>`}
      ${job.fault && html`<p class="trouble"><bdi>${visible(job.fault)}</bdi></p>`}
    </div>
    ${may && html`<div class="buttons"><${Deeds} job=${job} gone=${gone} /></div>`}
    <${More} job=${job} />
  </div>`;
}

function Deeds({ job, gone }) {
  const { state, lines } = job.now;
  const again = state === "failed" || state === "cancelled" || lines.failed > 0;
  const remove = async () => {
    if (await job.wish("DELETE", job.at())) gone();
  };
  if (!job.ended) {
    return html`<${Confirm}
      label=${t("dub.cancel")}
      question=${t("dub.cancel.sure")}
      act=${() => job.wish("POST", job.at("cancel"))}
    />`;
  }
  return html`${again &&
    html`<${Confirm}
      label=${t("dub.retry")}
      question=${t("dub.retry.sure")}
      act=${() => job.wish("POST", job.at("retry"))}
    />`}
    <${Confirm} label=${t("dub.delete")} question=${t("dub.delete.sure")} act=${remove} />`;
}

// Rarely used parts: warnings, usage and the caller's notes.
function More({ job }) {
  const { now, report } = job;
  const notes = Object.entries(now.metadata);
  const { loudness } = report ?? {};
  return html`
    <${Warnings} warnings=${report?.warnings ?? []} />
    ${(now.used.length > 0 || notes.length > 0 || loudness) &&
    html`<details>
      <summary>${t("dub.more")}</summary>
      <dl class="figures">
        ${now.used.map(
          (use) => html`<div key=${use.engine}>
            <dt><bdi>${visible(use.engine)}</bdi></dt>
            <dd>
              ${span(use.seconds)}${use.cost > 0 ? `, ${number(use.cost, 2)} ${use.currency}` : ""}
            </dd>
          </div>`,
        )}
        ${loudness?.integrated &&
        html`<div>
          <dt>${t("figure.loudness")}</dt>
          <dd>${number(loudness.integrated, 1)} LUFS, ${number(loudness.true_peak, 1)} dBTP</dd>
        </div>`}
        ${notes.map(
          ([name, value]) => html`<div key=${name}>
            <dt><bdi>${visible(name)}</bdi></dt>
            <dd><bdi>${visible(value)}</bdi></dd>
          </div>`,
        )}
      </dl>
    </details>`}
  `;
}
