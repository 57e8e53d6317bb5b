// The controls of the settings, made from the table of settings.

import { html } from "./elements.js";
import { numberOf } from "./settings.js";

/** @typedef {import("./settings.js").Settings} Settings */

/**
 * Make the controls of some settings. Each tells the new value; a value that is refused stays in
 * its field, and the page says why.
 * @param {string[]} names
 * @param {(name: string, value: unknown) => void} changed
 */
export function makeFields(names, changed) {
  return names.flatMap((name) => {
    const row = PLAY.settings[name];
    const id = `set-${name}`;
    const field = row.kind === "choice" ? choiceOf(name, row) : html("input", { type: "text" });
    field.id = id;
    if (row.kind !== "choice") field.setAttribute("inputmode", "decimal");
    field.addEventListener("change", () => changed(name, valueOf(row, textOf(field))));
    return [html("label", { for: id }, html("span", {}, row.label), field)];
  });
}

/** @param {string} name @param {SettingRow} row */
function choiceOf(name, row) {
  const names = name === "data" ? titles() : row.choices;
  const options = Object.entries(names).filter(([value]) => value !== "auto" || name !== "cost");
  return html("select", {}, ...options.map(([value, title]) => html("option", { value }, title)));
}

function titles() {
  return Object.fromEntries(Object.entries(PLAY.data).map(([name, { title }]) => [name, title]));
}

/** @param {Element} field */
function textOf(field) {
  return /** @type {HTMLInputElement | HTMLSelectElement} */ (field).value;
}

/** @param {SettingRow} row @param {string} text @returns {unknown} */
function valueOf(row, text) {
  return row.kind === "choice" ? text : numberOf(text);
}

/** Show the settings in their controls. @param {Settings} settings */
export function showFields(settings) {
  for (const [name, x] of Object.entries(settings)) {
    const field = document.getElementById(`set-${name}`);
    if (field === null) continue;
    if (name === "cost") offer(field, PLAY.costs[PLAY.data[settings.data].targets]);
    /** @type {HTMLInputElement} */ (field).value = String(x);
    /** @type {HTMLInputElement} */ (field).disabled = isIdle(name, settings);
  }
}

/** Offer only the costs that fit the data. @param {Element} field @param {string[]} names */
function offer(field, names) {
  for (const option of field.querySelectorAll("option")) {
    option.hidden = !names.includes(option.value);
    option.disabled = option.hidden;
  }
}

/** True for a setting on which nothing depends now. @param {string} name @param {Settings} settings */
function isIdle(name, settings) {
  if (name === "momentum") return settings.optimizer !== "momentum";
  if (name === "strength") return settings.penalty === "none";
  return settings.data === "own" && (name === "points" || name === "noise");
}
