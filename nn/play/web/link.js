// The settings in the address of the page, so that a link opens it with them: #lr=0.1&layers=4,3.

import { checked, numberOf } from "./settings.js";

/** @typedef {import("./settings.js").Settings} Settings */

/**
 * The settings that a link holds.
 * @param {string} hash the part of the address from # on
 * @returns {Settings}
 * @throws {RangeError} the link holds what is no setting, or a value that is out of range
 */
export function settingsOf(hash) {
  const given = [...new URLSearchParams(hash.replace(/^#/, ""))].map(([name, text]) => [
    name,
    read(Object.hasOwn(PLAY.settings, name) ? PLAY.settings[name].kind : "choice", text),
  ]);
  return checked(Object.fromEntries(given));
}

/** @param {SettingRow["kind"]} kind @param {string} text */
function read(kind, text) {
  if (kind === "choice") return text;
  if (kind === "names") return text.split(",");
  if (kind === "sizes") return text === "" ? [] : text.split(",").map(numberOf);
  return numberOf(text);
}

/** The part of the address that holds the settings that differ from the defaults. @param {Settings} settings */
export function linkOf(settings) {
  const usual = checked({ data: settings.data });
  const entries = Object.entries(settings)
    .filter(
      ([name, x]) =>
        name === "data" || String(x) !== String(usual[/** @type {keyof Settings} */ (name)]),
    )
    .map(([name, x]) => [name, String(x)]);
  return `#${new URLSearchParams(entries)}`;
}
