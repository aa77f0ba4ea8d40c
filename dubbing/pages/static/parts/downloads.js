// The files of a job.

import { html } from "../html.js";
import { bytes } from "../words/figures.js";
import { t } from "../words/words.js";
import { visible } from "./name.js";
import { Section } from "./section.js";

// Files beside the outputs, the most wanted first.
const REPORTS = ["report.html", "report.json"];

// job: a Job that has ended with an output.
export function Downloads({ job }) {
  return html`<${Section} id="downloads" title=${t("downloads")}>
    <ul class="downloads">
      ${job.outputs.map(
        ({ name, file_name, bytes: size }) => html`<li key=${name}>
          <a href=${job.at("outputs", name)} download=${file_name}><bdi>${visible(file_name)}</bdi></a>${" "}
          <small>${bytes(size)}</small>
        </li>`,
      )}
      ${REPORTS.map(
        (name) => html`<li key=${name}>
          <a href=${job.at("outputs", name)} download>${name}</a>${" "}
          <small>${t(`downloads.${name}`)}</small>
        </li>`,
      )}
    </ul>
  <//>`;
}
