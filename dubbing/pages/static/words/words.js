// The language of the page: the browser's, or the one that was chosen last.

import enAdmin from "./en/admin.js";
import enFrame from "./en/frame.js";
import enJob from "./en/job.js";
import enJobs from "./en/jobs.js";
import enPlayground from "./en/playground.js";
import enReport from "./en/report.js";
import enStatus from "./en/status.js";
import enSubmit from "./en/submit.js";
import zhAdmin from "./zh/admin.js";
import zhFrame from "./zh/frame.js";
import zhJob from "./zh/job.js";
import zhJobs from "./zh/jobs.js";
import zhPlayground from "./zh/playground.js";
import zhReport from "./zh/report.js";
import zhStatus from "./zh/status.js";
import zhSubmit from "./zh/submit.js";

export const LANGUAGES = { en: "English", zh: "中文" };

// Each name is in every language, and in one file of it.
const TEXTS = {
  en: {
    ...enAdmin,
    ...enFrame,
    ...enJob,
    ...enJobs,
    ...enPlayground,
    ...enReport,
    ...enStatus,
    ...enSubmit,
  },
  zh: {
    ...zhAdmin,
    ...zhFrame,
    ...zhJob,
    ...zhJobs,
    ...zhPlayground,
    ...zhReport,
    ...zhStatus,
    ...zhSubmit,
  },
};
const KEPT = "dubbing-language";

let spoken = kept() ?? (navigator.languages.find(known)?.slice(0, 2) || "en");

export function language() {
  return spoken;
}

// Returns the language as the browser's user has it, such as en-GB: numbers and dates differ.
export function locale() {
  return navigator.languages.find((tag) => tag.startsWith(spoken)) ?? spoken;
}

export function speak(name) {
  spoken = name;
  document.documentElement.lang = name === "zh" ? "zh-Hans" : name;
  try {
    localStorage.setItem(KEPT, name);
  } catch {
    // The browser keeps nothing for us; the page goes on without.
  }
}

// Returns a text of the page, with {names} in it filled in.
export function t(name, values = {}) {
  return TEXTS[spoken][name].replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

// Returns the word for what the gateway names, such as a state; a newer gateway's name stays.
export function named(kind, name) {
  return TEXTS[spoken][`${kind}.${name}`] ?? name;
}

function known(tag) {
  return tag.slice(0, 2) in TEXTS;
}

function kept() {
  try {
    const name = localStorage.getItem(KEPT);
    return name in TEXTS ? name : null;
  } catch {
    return null;
  }
}

document.documentElement.lang = spoken === "zh" ? "zh-Hans" : spoken;
