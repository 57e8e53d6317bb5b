// The positions of the player, and the text for each of them.
//
// Position 0 is the start, before any value is computed. Then come the steps of the forward pass,
// one position for ∂C/∂C = 1 ("seed"), and the steps of the backward pass.

import {
  isConstant,
  backwardSteps,
  gradientsAfter,
  local,
  looksUp,
  rootOf,
  ruleAt,
  shownNodes,
} from "./graph.js";
import { number } from "./number.js";

/** @typedef {import("./graph.js").Graph} Graph */

/**
 * All steps in order: the nodes to compute, then the multiplications; `last` is the last position.
 * @typedef {{forward: number[], backward: import("./graph.js").Edge[], last: number}} Plan
 */

/** @typedef {"start" | "forward" | "seed" | "backward"} Pass */

/**
 * A position: its pass, the step `index` of `count` in this pass, and the node and operand of the
 * step (-1 if there is none).
 * @typedef {{pass: Pass, index: number, count: number, node: number, slot: number, arg: number}}
 *   Place
 */

/** @param {Graph} graph @returns {Plan} */
export function planOf(graph) {
  const shown = shownNodes(graph);
  const forward = graph.rows.flatMap((row, i) => (shown[i] && row.args.length > 0 ? [i] : []));
  const backward = backwardSteps(graph);
  return { forward, backward, last: forward.length + 1 + backward.length };
}

/**
 * Look up a position in the plan.
 * @param {Plan} plan
 * @param {number} position
 * @returns {Place}
 */
export function placeAt(plan, position) {
  const { forward, backward } = plan;
  const nowhere = { node: -1, slot: -1, arg: -1 };
  if (position === 0) return { pass: "start", index: 0, count: plan.last, ...nowhere };
  if (position <= forward.length) {
    const node = forward[position - 1];
    return { pass: "forward", index: position, count: forward.length, node, slot: -1, arg: -1 };
  }
  const index = position - forward.length - 1;
  if (index === 0) return { pass: "seed", index: 0, count: backward.length, ...nowhere };
  return { pass: "backward", index, count: backward.length, ...backward[index - 1] };
}

/**
 * The position after `count` multiplications of the backward pass.
 * @param {Plan} plan
 * @param {number} count
 */
export function positionAfter(plan, count) {
  return plan.forward.length + 1 + count;
}

/**
 * The values and gradients that are known at a position.
 * @param {Graph} graph
 * @param {Plan} plan
 * @param {number} position
 */
export function knownAt(graph, plan, position) {
  const count = position - plan.forward.length - 1;
  const newest = position > 0 ? plan.forward[Math.min(position, plan.forward.length) - 1] : -1;
  return {
    /** @param {number} i */
    hasValue: (i) => graph.rows[i].args.length === 0 || i <= newest,
    gradients: count >= 0 ? gradientsAfter(graph, plan.backward, count) : [],
  };
}

/**
 * What is known of a node: whether its value is computed, its gradient so far, whether this is all
 * of it, and the step of the backward pass that completes it.
 * @typedef {{value: boolean, gradient: number | undefined, complete: boolean, step: number}} Known
 */

/**
 * @param {Graph} graph
 * @param {Plan} plan
 * @param {number} position
 * @param {number} node
 * @returns {Known}
 */
export function knownOf(graph, plan, position, node) {
  const { hasValue, gradients } = knownAt(graph, plan, position);
  const step = plan.backward.findLastIndex(({ arg }) => arg === node) + 1;
  return {
    value: hasValue(node),
    gradient: gradients[node],
    complete: isConstant(graph.rows[node]) || position >= positionAfter(plan, step),
    step,
  };
}

/**
 * The text of a step, in the parts that the page shows.
 * @typedef {{title: string, formula: string, rule: string, caption: string, numbers: string, sum:
 *   string}} Words
 */

/**
 * @param {Graph} graph
 * @param {Plan} plan
 * @param {number} position
 * @param {boolean} hidden true if the quiz hides the gradients of this step
 * @returns {Words}
 */
export function wordsAt(graph, plan, position, hidden) {
  const place = placeAt(plan, position);
  const root = graph.rows[rootOf(graph)];
  if (place.pass === "start") {
    return words(
      "start",
      "First, each step computes the value of one node. Then each step adds one product to a gradient.",
    );
  }
  if (place.pass === "forward") return forwardWords(graph, place);
  if (place.pass === "seed") {
    const formula = `∂${root.atom}/∂${root.atom} = 1`;
    return words(
      "backward, before the first step",
      formula,
      "a nudge of the output changes it by the same amount",
    );
  }
  return backwardWords(graph, plan, place, hidden);
}

/**
 * @param {string} title
 * @param {string} formula
 * @param {string} [rule]
 * @param {string} [caption]
 * @param {string} [numbers]
 * @param {string} [sum]
 * @returns {Words}
 */
function words(title, formula, rule = "", caption = "", numbers = "", sum = "") {
  return { title, formula, rule, caption, numbers, sum };
}

/** @param {Graph} graph @param {Place} place */
function forwardWords(graph, place) {
  const row = graph.rows[place.node];
  const operands = row.args.map((arg) => graph.values[arg]);
  const numbers = `${filled(OPERATIONS[row.op].template, operands)} = ${number(graph.values[place.node])}`;
  const formula = row.label ? `${row.name} = ${row.expression}` : row.name;
  return words(`forward ${place.index} of ${place.count}`, formula, "", "value", numbers);
}

/** @param {string} template @param {number[]} operands */
function filled(template, operands) {
  const between = !template.includes("(");
  return template.replace(/\{(\d)\}/g, (_, k) => {
    const text = number(operands[k]);
    return between && text.startsWith("-") ? `(${text})` : text;
  });
}

/** @param {Graph} graph @param {Plan} plan @param {Place} place @param {boolean} hidden */
function backwardWords(graph, plan, place, hidden) {
  const { node, slot, arg, index } = place;
  const row = graph.rows[node];
  const slope = local(graph, node, slot);
  const before = gradientsAfter(graph, plan.backward, index - 1);
  const upstream = before[node] ?? 0;
  const total = (before[arg] ?? 0) + upstream * slope;
  const complete = !plan.backward.slice(index).some((edge) => edge.arg === arg);
  const formula = row.slopes?.[looksUp(graph, node) ? 1 : slot];
  const of = `∂${row.atom}/∂${graph.rows[arg].atom}`;
  const gradient = `∂${graph.rows[rootOf(graph)].atom}/∂${graph.rows[arg].atom}`;
  /** @param {number} x */
  const shown = (x) => (hidden ? "?" : number(x));
  const earlier = before[arg];
  const soFar = earlier === undefined ? `${gradient} = ` : `${gradient}: ${shown(earlier)} → `;
  return words(
    `backward ${index} of ${place.count}`,
    `${of} = ${formula || number(slope)}`,
    ruleOf(ruleAt(graph, node, slot)),
    "upstream × local = contribution",
    `${shown(upstream)} × ${number(slope)} = ${shown(upstream * slope)}`,
    `${soFar}${shown(total)}${complete ? "" : " …"}`,
  );
}

/** A rule, or "" for an operation of the user whose rule has no formula. @param {string} rule */
function ruleOf(rule) {
  return rule.includes(" = ") ? rule : "";
}
