// The colours of the style sheet as numbers, which canvases need.

import { byId } from "./elements.js";

/** @typedef {[number, number, number]} Colour red, green and blue, 0 to 255 */

const KINDS = 6; // colours for classes; further classes use the same colours again

/** @type {Map<string, Colour>} */
const known = new Map();

/** Forget the colours that were read, because the page changed between light and dark. */
export function forgetColours() {
  known.clear();
}

/**
 * The text colour of a CSS class.
 * @param {string} name
 * @returns {Colour}
 */
export function colour(name) {
  const found = known.get(name) ?? lookedUp(name);
  known.set(name, found);
  return found;
}

/** @param {string} name @returns {Colour} */
function lookedUp(name) {
  const sample = byId("palette");
  sample.className = name;
  const [red, green, blue] = (getComputedStyle(sample).color.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}

/** The CSS class for the colour of a class of answers. @param {number} kind */
export function kindName(kind) {
  return `kind${kind % KINDS}`;
}

/**
 * The mixture of two colours; `share` is that of the second.
 * @param {Colour} from
 * @param {Colour} to
 * @param {number} share
 * @returns {Colour}
 */
export function mixed(from, to, share) {
  /** @param {number} part */
  const at = (part) => Math.round(from[part] + (to[part] - from[part]) * share);
  return [at(0), at(1), at(2)];
}

/** @param {Colour} colour */
export function css([red, green, blue]) {
  return `rgb(${red} ${green} ${blue})`;
}
