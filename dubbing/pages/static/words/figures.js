// Numbers as people of the page's language read them. What is not known is a dash.

import { locale } from "./words.js";

const UNKNOWN = "–";
const formats = {};

export function number(value, digits = 0) {
  return known(value, () => format(value, { maximumFractionDigits: digits }));
}

export function percent(value, digits = 0) {
  const options = { style: "percent", maximumFractionDigits: digits };
  return known(value, () => format(value / 100, options));
}

// value: in MiB.
export function memory(value) {
  return known(value, () =>
    value < 1024 ? `${number(value)} MiB` : `${number(value / 1024, 1)} GiB`,
  );
}

// value: in bytes.
export function bytes(value) {
  const units = ["kilobyte", "megabyte", "gigabyte"];
  const power = Math.min(2, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3) - 1));
  const options = { style: "unit", unit: units[power], maximumFractionDigits: 1 };
  return format(Math.max(0.1, value / 1000 ** (power + 1)), options);
}

// Returns a sum in a currency, as ISO 4217 names it.
export function money(value, currency) {
  return `${format(value, { maximumSignificantDigits: 3 })} ${currency}`;
}

// Returns the name of a language by its BCP 47 tag, or the tag when it has none.
export function languageName(tag) {
  try {
    return new Intl.DisplayNames(locale(), { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

// Returns a span of time in its largest unit, and the next one if it matters.
export function span(seconds) {
  return known(seconds, () => {
    const unit = (value, name, digits = 0) =>
      format(value, { style: "unit", unit: name, maximumFractionDigits: digits });
    if (seconds < 10) return unit(seconds, "second", 1);
    if (seconds < 60) return unit(seconds, "second");
    const minutes = Math.round(seconds / 60);
    if (minutes < 60) return unit(minutes, "minute");
    const rest = minutes % 60;
    return unit(Math.floor(minutes / 60), "hour") + (rest ? ` ${unit(rest, "minute")}` : "");
  });
}

// Returns a place in a film, such as 1:02:03.
export function clock(seconds, digits = 0) {
  if (!Number.isFinite(seconds)) return UNKNOWN;
  const rounded = Number(seconds.toFixed(digits));
  const two = (value) => String(Math.floor(value)).padStart(2, "0");
  const rest = (rounded % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  const minutes = Math.floor(rounded / 60);
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${two(minutes % 60)}:${rest}` : `${minutes}:${rest}`;
}

// value: a Date, or what makes one.
export function time(value, options = { timeStyle: "medium" }) {
  return new Intl.DateTimeFormat(locale(), options).format(new Date(value));
}

function known(value, say) {
  return value === null || value === undefined ? UNKNOWN : say();
}

function format(value, options) {
  const asked = JSON.stringify([locale(), options]);
  // To make one takes long.
  formats[asked] ??= new Intl.NumberFormat(locale(), options);
  return formats[asked].format(value);
}
