// The settings of the playground. What they may be stands in the table that settings.py wrote.

import { parsed } from "./number.js";

/**
 * @typedef {{
 *   data: string, points: number, noise: number, test: number, inputs: string[], layers: number[],
 *   activation: string, init: string, cost: string, optimizer: string, momentum: number,
 *   lr: number, schedule: string, penalty: string, strength: number, dropout: number,
 *   batch_size: number, seed: number,
 * }} Settings
 */

/** The settings at first. @returns {Settings} */
export function defaults() {
  return checked({});
}

/**
 * Check settings, and return all of them: those given, and the defaults of the others.
 * @param {Record<string, unknown>} given
 * @returns {Settings}
 * @throws {RangeError} there is no such setting, or its value is out of range
 */
export function checked(given) {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(PLAY.settings, name))
      throw new RangeError(`there is no setting ${said(name)}`);
  }
  const entries = Object.entries(PLAY.settings).map(([name, row]) => [
    name,
    name in given ? value(name, row, given[name]) : structuredClone(row.default),
  ]);
  /** @type {Settings} */
  const found = Object.fromEntries(entries);
  const costs = PLAY.costs[PLAY.data[found.data].targets];
  if (found.cost === "auto") found.cost = costs[0];
  if (!costs.includes(found.cost)) {
    throw new RangeError(
      `cost is one of ${costs.join(", ")} for these data, got ${said(found.cost)}`,
    );
  }
  return found;
}

/** @param {string} name @param {SettingRow} row @param {unknown} x */
function value(name, row, x) {
  const { kind, choices } = row;
  if (name === "data") return oneOf(name, PLAY.data, x); // which may hold points of the reader's own
  if (kind === "choice") return oneOf(name, choices, x);
  if (kind === "names") {
    const names = listed(name, x).map((item) => oneOf(name, choices, item));
    if (names.length === 0 || new Set(names).size < names.length) {
      throw new RangeError(`${name} are one or more different names, got ${said(x)}`);
    }
    return Object.keys(choices).filter((known) => names.includes(known));
  }
  if (kind === "sizes") {
    const { mostLayers, mostNeurons } = PLAY;
    const sizes = listed(name, x);
    if (
      sizes.length > mostLayers ||
      !sizes.every((n) => isWhole(n) && n >= 1 && n <= mostNeurons)
    ) {
      throw new RangeError(
        `${name} are at most ${mostLayers} whole numbers from 1 to ${mostNeurons}, got ${said(x)}`,
      );
    }
    return sizes;
  }
  return number(name, row, x);
}

/** @param {string} name @param {SettingRow} row @param {unknown} x */
function number(name, { kind, least, most, above }, x) {
  const inside = typeof x === "number" && (above ? x > least : x >= least) && x <= most;
  if (inside && (kind === "number" || isWhole(x))) return x;
  const what = kind === "whole" ? "a whole number" : "a number";
  throw new RangeError(
    `${name} is ${what} ${above ? "above" : "from"} ${least} to ${most}, got ${said(x)}`,
  );
}

/** The number that a reader wrote, or the text that is none, to be refused. @param {string} text */
export function numberOf(text) {
  const x = parsed(text);
  return Number.isNaN(x) ? text : x;
}

/** @param {string} name @param {Record<string, unknown>} choices @param {unknown} x */
function oneOf(name, choices, x) {
  if (typeof x === "string" && Object.hasOwn(choices, x)) return x;
  throw new RangeError(`${name} is one of ${Object.keys(choices).join(", ")}; got ${said(x)}`);
}

/** @param {string} name @param {unknown} x @returns {unknown[]} */
function listed(name, x) {
  if (Array.isArray(x)) return x;
  throw new RangeError(`${name} is a list, got ${said(x)}`);
}

/** @param {unknown} x @returns {x is number} */
function isWhole(x) {
  return Number.isInteger(x);
}

/** @param {unknown} x */
function said(x) {
  const text = JSON.stringify(x) ?? String(x);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
