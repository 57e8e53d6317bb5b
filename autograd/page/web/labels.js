// Places for the numbers beside the lines: as near as possible to where the layout wants them, and
// on no line, no box and no other number.

import { svg } from "./elements.js";

/** @typedef {{left: number, right: number, top: number, bottom: number}} Area */
/** @typedef {{id: string, path: string, middle: [number, number]}} Route */

const [ACROSS, DOWN] = [25, 6]; // half the width and the height of “× -0.123”
const CLEAR = 4; // pixels between the centre of a line and a number: the widest line is 5 wide
const SPACING = 4; // pixels between two points at which a line is looked at
const SHIFTS = shifts(56, 4);

/**
 * The centre of the number of each line.
 * @param {Route[]} routes all lines of the drawing
 * @param {Area[]} boxes
 * @returns {Map<string, [number, number]>}
 */
export function placesBeside(routes, boxes) {
  const points = routes.flatMap(({ path }) => pointsOf(path));
  const taken = [...boxes];
  /** @type {Map<string, [number, number]>} */
  const places = new Map();
  for (const { id, middle } of routes) {
    const near = points.filter(({ x, y }) => Math.hypot(x - middle[0], y - middle[1]) < 100);
    const [dx, dy] = SHIFTS.find((shift) => isFree(areaAt(middle, shift), near, taken)) ?? [0, 0];
    places.set(id, [middle[0] + dx, middle[1] + dy]);
    taken.push(areaAt(middle, [dx, dy]));
  }
  return places;
}

/**
 * The shifts up to a distance in each direction, the shortest first.
 * @param {number} most
 * @param {number} step
 * @returns {[number, number][]}
 */
function shifts(most, step) {
  const steps = Array.from({ length: (2 * most) / step + 1 }, (_, k) => k * step - most);
  return steps
    .flatMap((dx) => steps.map((dy) => /** @type {[number, number]} */ ([dx, dy])))
    .toSorted((a, b) => Math.hypot(...a) - Math.hypot(...b));
}

/** @param {string} path */
function pointsOf(path) {
  const line = /** @type {SVGPathElement} */ (svg("path", { d: path }));
  const count = Math.ceil(line.getTotalLength() / SPACING);
  return Array.from({ length: count + 1 }, (_, k) => line.getPointAtLength(k * SPACING));
}

/** @param {[number, number]} middle @param {[number, number]} shift @returns {Area} */
function areaAt([x, y], [dx, dy]) {
  return {
    left: x + dx - ACROSS,
    right: x + dx + ACROSS,
    top: y + dy - DOWN,
    bottom: y + dy + DOWN,
  };
}

/** @param {Area} area @param {{x: number, y: number}[]} points @param {Area[]} taken */
function isFree({ left, right, top, bottom }, points, taken) {
  return (
    !points.some(
      ({ x, y }) => x > left - CLEAR && x < right + CLEAR && y > top - CLEAR && y < bottom + CLEAR,
    ) &&
    !taken.some(
      (other) =>
        left < other.right && right > other.left && top < other.bottom && bottom > other.top,
    )
  );
}
