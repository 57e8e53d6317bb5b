// Points in the plane to learn from: those of `nn.points`, which points.py makes in Python.

import { Random } from "./random.js";

/** Points lie about between −REACH and REACH on both axes. */
export const REACH = 3;

/**
 * Examples: the points, and for each its target.
 * @typedef {{X: number[][], y: number[]}} Examples
 * @typedef {{train: Examples, test: Examples}} Split
 */

/** @type {Record<string, (rng: Random, i: number) => [number, number]>} */
const PLACES = {
  moons: (rng, i) => {
    const angle = Math.PI * rng.random();
    const [x1, x2] = [Math.cos(angle), Math.sin(angle)];
    return i % 2 === 0 ? [2 * x1 - 1, 2 * x2 - 0.5] : [1 - 2 * x1, 0.5 - 2 * x2];
  },
  circles: (rng, i) => around(i % 2 === 0 ? 1 : 2.4, 2 * Math.PI * rng.random()),
  xor: anywhere,
  gaussians: (rng, i) => {
    const centre = i % 2 === 0 ? 1.4 : -1.4;
    return [rng.gauss(centre, 0.5), rng.gauss(centre, 0.5)];
  },
  spirals: (rng, i) => {
    const share = 0.1 + 0.9 * rng.random();
    return around(2.8 * share, 4.5 * share + (2 * Math.PI * (i % 3)) / 3);
  },
  plane: anywhere,
  wave: anywhere,
};

/** @type {Record<string, (i: number, x1: number, x2: number) => number>} */
const TARGETS = {
  moons: (i) => i % 2,
  circles: (i) => i % 2,
  xor: (_, x1, x2) => Number(x1 * x2 < 0),
  gaussians: (i) => i % 2,
  spirals: (i) => i % 3,
  plane: (_, x1, x2) => (x1 + x2) / 4,
  wave: (_, x1, x2) => Math.sin(x1) * Math.cos(x2),
};

/** @param {Random} rng @returns {[number, number]} */
function anywhere(rng) {
  return [rng.uniform(-REACH, REACH), rng.uniform(-REACH, REACH)];
}

/** @param {number} radius @param {number} angle @returns {[number, number]} */
function around(radius, angle) {
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/**
 * Make points.
 * @param {string} kind
 * @param {number} n
 * @param {number} noise
 * @param {number} seed
 * @returns {Examples}
 */
export function points(kind, n, noise, seed) {
  const rng = new Random(seed);
  const isNumber = PLAY.data[kind].targets === "numbers";
  /** @type {Examples} */
  const made = { X: [], y: [] };
  for (let i = 0; i < n; i++) {
    const [x1, x2] = PLACES[kind](rng, i);
    const target = TARGETS[kind](i, x1, x2);
    made.X.push(isNumber ? [x1, x2] : [x1 + rng.gauss(0, noise), x2 + rng.gauss(0, noise)]);
    made.y.push(isNumber ? target + rng.gauss(0, noise) : target);
  }
  return made;
}

/**
 * Divide examples into those to learn from, and those to test with.
 * @param {Examples} all
 * @param {number} share of the test examples
 * @param {number | null} [seed] draws the test examples; without it, they are the last ones
 * @returns {Split}
 */
export function divided({ X, y }, share, seed = null) {
  const cut = Math.max(1, Math.round(X.length * (1 - share)));
  const order = seed === null ? [...X.keys()] : new Random(`${seed}, test`).order(X.length);
  const chosen = (/** @type {number[]} */ places) => {
    const sorted = places.toSorted((a, b) => a - b);
    return { X: sorted.map((i) => X[i]), y: sorted.map((i) => y[i]) };
  };
  return { train: chosen(order.slice(0, cut)), test: chosen(order.slice(cut)) };
}
