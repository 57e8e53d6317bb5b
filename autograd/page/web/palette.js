// The colours of the style sheet as numbers, for canvases: they follow light and dark.

import { byId } from "./elements.js";

/** @typedef {[number, number, number]} Colour red, green and blue, 0 to 255 */

const KINDS = 6; // colours of classes; more of them share

/** @type {Map<string, Colour>} */
const known = new Map();

/** Look colours up anew, for light has become dark. */
export function forgetColours() {
  known.clear();
}

/**
 * The colour that an element of this class has.
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

/** @param {number} kind of a class */
export function kindName(kind) {
  return `kind${kind % KINDS}`;
}

/** @param {Colour} from @param {Colour} to @param {number} share @returns {Colour} */
export function mixed(from, to, share) {
  /** @param {number} part */
  const at = (part) => Math.round(from[part] + (to[part] - from[part]) * share);
  return [at(0), at(1), at(2)];
}

/** @param {Colour} colour */
export function css([red, green, blue]) {
  return `rgb(${red} ${green} ${blue})`;
}
