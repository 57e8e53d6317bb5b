// A gradient worked out by hand, held against the right one, and what may have gone wrong.
//
// The same questions as in `mistakes.py`, which explains them; its table SLIPS is used as it is.

import { gradientsAfter, backwardSteps, isConstant, local, rootOf } from "./graph.js";
import { number, parsed } from "./number.js";

/** @typedef {import("./graph.js").Graph} Graph */

/**
 * @param {Graph} graph
 * @param {number} node
 * @param {number} guess
 * @returns {{right: boolean, text: string}}
 */
export function judged(graph, node, guess) {
  const gradients = gradientsAfter(graph, backwardSteps(graph));
  const right = gradients[node] ?? 0;
  const said = `${graph.rows[node].name}: ${number(guess, 10)}`;
  if (matches(guess, right)) {
    const exactly = close(guess, right, 1e-9) ? "" : ` (${number(right, 7)})`;
    return { right: true, text: `${said} is right${exactly}.` };
  }
  for (const [value, mistake] of mistakes(graph, node, gradients)) {
    if (matches(guess, value)) return { right: false, text: `${said} is not right. ${mistake}` };
  }
  const near = Math.abs(guess - right) <= QUIZ.close * Math.abs(right) || roundsTo(guess, right);
  const hint = near ? "is close, but not right: carry more digits." : `is not right. ${QUIZ.hint}`;
  return { right: false, text: `${said} ${hint}` };
}

/**
 * Whether a guess is the number, rounded to the digits in which it was given or to about four.
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

/** Whether they differ by at most half of the last digit given. @param {number} guess @param {number} right */
function roundsTo(guess, right) {
  if (guess === 0 || !Number.isFinite(guess) || !Number.isFinite(right)) return false;
  const [mantissa, power] = guess.toExponential().split("e");
  const decimals = mantissa.includes(".") ? mantissa.length - mantissa.indexOf(".") - 1 : 0;
  const halfADigit = 0.5 * 10 ** (Number(power) - decimals);
  return Math.abs(guess - right) <= halfADigit * (1 + 1e-9);
}

/**
 * Wrong gradients that a learner could arrive at, the commonest first, and how they came.
 * @param {Graph} graph
 * @param {number} node
 * @param {(number | undefined)[]} gradients
 * @returns {Generator<[number, string]>}
 */
function* mistakes(graph, node, gradients) {
  const right = gradients[node] ?? 0;
  yield [-right, QUIZ.sign];
  const arriving = backwardSteps(graph)
    .filter(({ arg }) => arg === node)
    .map((edge) => (gradients[edge.node] ?? 0) * local(graph, edge.node, edge.slot));
  if (arriving.length > 1) {
    const kept = QUIZ.kept.replace("{}", String(arriving.length));
    for (const contribution of arriving) yield [contribution, kept];
    for (const contribution of arriving) {
      yield [right - contribution, QUIZ.path.replace("{}", number(contribution))];
    }
  }
  if (graph.rows.length <= QUIZ.limit) yield* wrongFactors(graph, node, gradients);
}

/**
 * @param {Graph} graph
 * @param {number} node
 * @param {(number | undefined)[]} gradients
 * @returns {Generator<[number, string]>}
 */
function* wrongFactors(graph, node, gradients) {
  const right = gradients[node] ?? 0;
  const tangents = tangentsOf(graph, node);
  for (let other = 0; other <= rootOf(graph); other++) {
    const row = graph.rows[other];
    for (const [slot, arg] of row.args.entries()) {
      const tangent = tangents.get(arg) ?? 0;
      if (tangent === 0 || isConstant(graph.rows[arg])) continue;
      const reach = (gradients[other] ?? 0) * tangent;
      const slope = local(graph, other, slot);
      const out = graph.values[other];
      const operand = graph.values[arg];
      for (const { wrong, says } of SLIPS) {
        const instead = wrong(slope, out, operand, misplaced(graph, other, slot, slope));
        yield [right + reach * (instead - slope), filled(says, graph, other, slot, slope)];
      }
    }
  }
}

/**
 * The slope read off at the operand where the rule has the value: z(1 − z) for a(1 − a).
 * @param {Graph} graph
 * @param {number} node
 * @param {number} slot
 * @param {number} slope
 */
function misplaced(graph, node, slot, slope) {
  const row = graph.rows[node];
  const reads = OPERATIONS[row.op].reads;
  if (reads.length === 0) return slope;
  const operands = row.args.map((arg) => graph.values[arg]);
  const found = reads[slot](operands[slot], ...operands);
  return Number.isFinite(found) ? found : slope;
}

/**
 * @param {string} says
 * @param {Graph} graph
 * @param {number} node
 * @param {number} slot
 * @param {number} slope
 */
function filled(says, graph, node, slot, slope) {
  const row = graph.rows[node];
  const operand = graph.rows[row.args[slot]];
  const formula = row.slopes?.[slot] ?? "";
  const isNumber = formula === "" || formula.includes(" if ") || !Number.isNaN(parsed(formula));
  const factor = isNumber ? `∂${row.atom}/∂${operand.atom}` : formula;
  /** @type {Record<string, string>} */
  const names = {
    factor: `factor ${factor} = ${number(slope)}`,
    node: row.name,
    operand: operand.name,
  };
  return says.replace(/\{(\w+)\}/g, (_, name) => names[name]);
}

/** ∂other/∂node for every node that depends on it: forward mode. @param {Graph} graph @param {number} node */
function tangentsOf(graph, node) {
  const tangents = new Map([[node, 1]]);
  for (let other = node + 1; other <= rootOf(graph); other++) {
    let moving = 0;
    let depends = false;
    graph.rows[other].args.forEach((arg, slot) => {
      const tangent = tangents.get(arg);
      if (tangent === undefined) return;
      depends = true;
      moving += local(graph, other, slot) * tangent;
    });
    if (depends) tangents.set(other, moving);
  }
  return tangents;
}
