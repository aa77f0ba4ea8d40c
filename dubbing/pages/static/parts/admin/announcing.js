// Announcements: the current ones, and a new one.

import { useEffect } from "preact/hooks";

import { useLoaded } from "../../data/loaded.js";
import { html } from "../../html.js";
import { t } from "../../words/words.js";
import { Announcement } from "../announcements.js";
import { Deed } from "../deed.js";
import { Field, Form } from "../form.js";
import { Section } from "../section.js";

const PATH = "/api/announcements";
const SORTS = ["info", "warning", "error", "maintenance"];

// current: the pushed announcements, some perhaps by other people.
export function Announcing({ session, current }) {
  const { found, fault, reload } = useLoaded(session, () => session.call("GET", PATH));
  const ids = current?.map((one) => one.id).join(" ");
  useEffect(() => {
    if (found) reload();
  }, [ids]);
  const announcements = found?.announcements ?? [];
  const change = async (method, path, body) => {
    await session.call(method, path, body);
    await reload();
  };
  return html`<${Section} id="announcements" title=${t("announcements")}>
    ${fault && html`<p class="trouble"><bdi>${fault}</bdi></p>`}
    ${found && announcements.length === 0 && html`<p>${t("announcements.none")}</p>`}
    ${announcements.map(
      (one) => html`<div key=${one.id} class="announced">
        <${Announcement} one=${one} />
        <div class="deeds">
          <${Deed}
            name=${t("announcement.delete")}
            of=${one.title}
            ask=${t("announcement.delete.ask")}
            run=${() => change("DELETE", `${PATH}/${one.id}`)}
          />
        </div>
      </div>`,
    )}
    <details>
      <summary>${t("announcements.add")}</summary>
      <${Making} send=${(body) => change("POST", PATH, body)} />
    </details>
  <//>`;
}

function Making({ send }) {
  const announce = (form) =>
    send({
      type: form.get("type"),
      title: form.get("title"),
      message: form.get("message"),
      expires_at: form.get("until") ? new Date(form.get("until")).toISOString() : null,
    });
  return html`<${Form} name=${t("announcements.add")} send=${announce}>
    <${Field} label=${t("announcement.type")}>
      <select name="type">
        ${SORTS.map(
          (sort) => html`<option key=${sort} value=${sort}>${t(`announcement-type.${sort}`)}</option>`,
        )}
      </select>
    <//>
    <${Field} label=${t("announcement.expires")} help=${t("announcement.expires.help")}>
      <input name="until" type="datetime-local" />
    <//>
    <${Field} label=${t("announcement.title")} wide>
      <input name="title" required maxlength="200" autocomplete="off" dir="auto" />
    <//>
    <${Field} label=${t("announcement.message")} wide>
      <textarea name="message" rows="3" maxlength="5000" dir="auto"></textarea>
    <//>
  <//>`;
}
