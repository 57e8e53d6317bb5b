// Judge a gradient that the reader computed by hand, and name the likely mistake.
//
// This is a translation of mistakes.py and must give the same verdicts in the same words.

import { backwardSteps, gradientsAfter } from "./graph.js";
import { number } from "./number.js";
import { candidates } from "./slips.js";

/** @typedef {import("./graph.js").Graph} Graph */

/** @typedef {{right: boolean, text: string}} Verdict */

/**
 * Compare a guess with the gradient of a node, and name the likely mistake if it is wrong.
 * @param {Graph} graph
 * @param {number} node
 * @param {number} guess
 * @returns {Verdict}
 */
export function judge(graph, node, guess) {
  const gradients = gradientsAfter(graph, backwardSteps(graph));
  const right = gradients[node] ?? 0;
  const said = `${graph.rows[node].name}: ${number(guess, 10)}`;
  if (matches(guess, right)) {
    const exactly = close(guess, right, 1e-9) ? "" : ` (${number(right, 7)})`;
    return { right: true, text: `${said} is right${exactly}.` };
  }
  const { exact, likely } = explained(guess, candidates(graph, node, gradients));
  const rounded = roundsTo(guess, right);
  if (exact || (likely && !rounded)) {
    return { right: false, text: `${said} is not right. ${exact || likely}` };
  }
  const near = rounded || Math.abs(guess - right) <= QUIZ.close * Math.abs(right);
  return { right: false, text: `${said} ${near ? QUIZ.nearly : `is not right. ${QUIZ.hint}`}` };
}

/**
 * The explanation of the first mistake that gives the guess to all digits (`exact`), or else of the
 * first that gives it to a few digits (`likely`).
 * @param {number} guess
 * @param {Iterable<import("./slips.js").Candidate>} wrong
 */
function explained(guess, wrong) {
  /** @type {(() => string) | undefined} */
  let likely;
  for (const [value, says] of wrong) {
    if (close(guess, value, 1e-9)) return { exact: says(), likely: "" };
    if (likely === undefined && matches(guess, value)) likely = says;
  }
  return { exact: "", likely: likely?.() ?? "" };
}

/**
 * True if a guess is the right number, rounded to the digits of the guess or to about four.
 * @param {number} guess
 * @param {number} right
 */
export function matches(guess, right) {
  const rounding = guess === 0 || right === 0 ? 1e-12 : 0;
  if (close(guess, right, 1e-9, rounding)) return true;
  if (!Number.isFinite(right)) return false;
  const off = Math.abs(guess - right);
  if (off <= QUIZ.rounded * Math.abs(right)) return true;
  return roundsTo(guess, right) && off <= QUIZ.close * Math.abs(right);
}

/** @param {number} a @param {number} b @param {number} relative @param {number} [absolute] */
function close(a, b, relative, absolute = 0) {
  if (a === b) return true;
  if (!Number.isFinite(a) || !Number.isFinite(b)) return false;
  const allowed = Math.max(relative * Math.max(Math.abs(a), Math.abs(b)), absolute);
  return Math.abs(a - b) <= allowed;
}

/**
 * True if they differ by at most half a unit in the last digit of the guess.
 * @param {number} guess
 * @param {number} right
 */
function roundsTo(guess, right) {
  if (guess === 0 || !Number.isFinite(guess) || !Number.isFinite(right)) return false;
  const [mantissa, power] = guess.toExponential().split("e");
  const decimals = mantissa.includes(".") ? mantissa.length - mantissa.indexOf(".") - 1 : 0;
  const halfADigit = 0.5 * 10 ** (Number(power) - decimals);
  return Math.abs(guess - right) <= halfADigit * (1 + 1e-9);
}
