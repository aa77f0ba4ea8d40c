// The files of a job.

import { html } from "../html.js";
import { bytes } from "../words/figures.js";
import { t } from "../words/words.js";
import { visible } from "./name.js";
import { Section } from "./section.js";

const REPORT = "report.json";

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
      <li>
        <a href=${job.at("outputs", REPORT)} download>${REPORT}</a>${" "}
        <small>${t("downloads.report")}</small>
      </li>
    </ul>
  <//>`;
}
