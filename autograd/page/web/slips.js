// Wrong gradients that typical mistakes produce, with explanations.
//
// This is a translation of slips.py, whose module docstring describes the method. The tables SLIPS
// and SLOPES are generated from it.

import {
  backwardSteps,
  flowingSlots,
  isConstant,
  local,
  looksUp,
  pathsTo,
  rootOf,
} from "./graph.js";
import { number, parsed } from "./number.js";

/** @typedef {import("./graph.js").Graph} Graph */
/** @typedef {(number | undefined)[]} Gradients */

/**
 * A wrong gradient, and a function that returns its explanation.
 * @typedef {[number, () => string]} Candidate
 */

/** The local derivative of one edge, and the gradient that flows into its node.
 * @typedef {{node: number, slot: number, slope: number, upstream: number}} Factor
 */

/** A factor, and its coefficient in the gradient. @typedef {[Factor, number]} Way */

/**
 * Wrong gradients of a node, the most common mistakes first.
 * @param {Graph} graph
 * @param {number} node
 * @param {Gradients} gradients
 * @returns {Generator<Candidate>}
 */
export function* candidates(graph, node, gradients) {
  const right = gradients[node] ?? 0;
  yield [-right, () => QUIZ.sign];
  yield* forgotten(graph, node, gradients);
  if (graph.rows.length > QUIZ.limit) {
    yield* offByAFactor(right);
    return;
  }
  const tangents = tangentsOf(graph, node);
  const factors = onTheWay(graph, gradients, tangents);
  const ones = factors.filter(([{ slope }]) => Math.abs(slope) === 1);
  const others = factors.filter(([{ slope }]) => Math.abs(slope) !== 1);
  yield* slipped(graph, right, factors, SLIPS.slice(0, QUIZ.common));
  yield* slipped(graph, right, others, SLIPS.slice(QUIZ.common));
  yield* mixedUp(graph, right, factors);
  yield* wrongPaths(graph, node, gradients);
  yield* parts(graph, node, gradients, tangents);
  yield* offByAFactor(right);
  yield* extraFactors(graph, right);
  yield* slipped(graph, right, ones, SLIPS.slice(QUIZ.common));
}

/**
 * A misplaced decimal point, and small multiples and fractions.
 * @param {number} right
 * @returns {Generator<Candidate>}
 */
function* offByAFactor(right) {
  for (const places of QUIZ.places) yield [right * 10 ** places, () => QUIZ.digits];
  for (const k of QUIZ.multiples) {
    yield [right * k, () => filled(QUIZ.times, k)];
    yield [right / k, () => filled(QUIZ.divided, k)];
  }
}

/** Fill the gaps of a text in order. @param {string} text @param {(string | number)[]} texts */
function filled(text, ...texts) {
  return texts.reduce(
    (/** @type {string} */ so, part) => so.replace("{}", () => String(part)),
    text,
  );
}

/**
 * Gradients that omit contributions.
 * @param {Graph} graph
 * @param {number} node
 * @param {Gradients} gradients
 * @returns {Generator<Candidate>}
 */
function* forgotten(graph, node, gradients) {
  const right = gradients[node] ?? 0;
  const arriving = backwardSteps(graph)
    .filter(({ arg }) => arg === node)
    .map((edge) => (gradients[edge.node] ?? 0) * local(graph, edge.node, edge.slot));
  if (arriving.length < 2) return;
  for (const part of arriving) yield [part, () => filled(QUIZ.kept, arriving.length)];
  for (const part of arriving) yield [right - part, () => filled(QUIZ.path, number(part))];
}

/**
 * The factors of the gradient, with their coefficients.
 * @param {Graph} graph
 * @param {Gradients} gradients
 * @param {Map<number, number>} tangents
 * @returns {Way[]}
 */
function onTheWay(graph, gradients, tangents) {
  /** @type {Way[]} */
  const found = [];
  for (const [node, row] of graph.rows.entries()) {
    for (const slot of flowingSlots(graph, node)) {
      const arg = row.args[slot];
      const tangent = tangents.get(arg) ?? 0;
      if (tangent === 0 || isConstant(graph.rows[arg])) continue;
      const upstream = gradients[node] ?? 0;
      const factor = { node, slot, slope: local(graph, node, slot), upstream };
      found.push([factor, upstream * tangent]);
    }
  }
  return found;
}

/**
 * The gradients that result from each slip at each factor.
 * @param {Graph} graph
 * @param {number} right
 * @param {Way[]} factors
 * @param {typeof SLIPS} [slips]
 * @returns {Generator<Candidate>}
 */
function* slipped(graph, right, factors, slips = SLIPS) {
  const numbers = factors.map(([factor]) => numbersOf(graph, factor));
  for (const { wrong, says } of slips) {
    for (const [k, [factor, reach]] of factors.entries()) {
      const instead = wrong(...numbers[k]);
      yield [right + reach * (instead - factor.slope), () => said(says, graph, factor)];
    }
  }
}

/**
 * Gradients that use the derivative of another activation.
 * @param {Graph} graph
 * @param {number} right
 * @param {Way[]} factors
 * @returns {Generator<Candidate>}
 */
function* mixedUp(graph, right, factors) {
  for (const [factor, reach] of factors) {
    for (const [name, slope] of slopesOfOthers(graph, factor)) {
      yield [right + reach * (slope - factor.slope), () => said(QUIZ.slope, graph, factor, name)];
    }
  }
}

/**
 * The arguments of a slip, in the order of `NAMES` in slips.py.
 * @param {Graph} graph
 * @param {Factor} factor
 */
function numbersOf(graph, { node, slot, slope, upstream }) {
  const { args, op } = graph.rows[node];
  const operands = args.map((arg) => graph.values[arg]);
  const { reads } = OPERATIONS[op];
  const there = reads.length === 0 ? slope : reads[slot](operands[slot], ...operands);
  const misplaced = Number.isFinite(there) ? there : slope;
  const other = args.length === 2 ? operands[1 - slot] : NaN;
  return [slope, graph.values[node], operands[slot], misplaced, other, upstream];
}

/**
 * The derivatives of other activations, at this node's value and at their own.
 * @param {Graph} graph
 * @param {Factor} factor
 * @returns {Generator<[string, number]>}
 */
function* slopesOfOthers(graph, { node, slot }) {
  const { args, op } = graph.rows[node];
  if (slot > 0 || !OPERATIONS[op].mixedUp) return;
  const operand = graph.values[args[0]];
  for (const { name, value, slope } of SLOPES) {
    if (name === OPERATIONS[op].name) continue;
    yield [name, slope(graph.values[node], operand)];
    yield [name, slope(value(operand), operand)];
  }
}

/**
 * Fill in the explanation of a slip at a factor.
 * @param {string} says
 * @param {Graph} graph
 * @param {Factor} factor
 * @param {string} [rival]
 */
function said(says, graph, { node, slot, slope, upstream }, rival) {
  const row = graph.rows[node];
  const operand = graph.rows[row.args[slot]];
  const others = row.args.filter((_, k) => k !== slot).map((arg) => graph.rows[arg].name);
  const formula = row.slopes?.[looksUp(graph, node) ? 1 : slot] ?? "";
  const isNumber = formula === "" || formula.includes(" if ") || !Number.isNaN(parsed(formula));
  const called = isNumber ? `∂${row.atom}/∂${operand.atom}` : formula;
  /** @type {Record<string, string>} */
  const names = {
    factor: `factor ${called} = ${number(slope)}`,
    node: row.name,
    operand: operand.name,
    other: rival ?? others.join(", "),
    of: row.atom,
    by: operand.atom,
    upstream: number(upstream),
    op: OPERATIONS[row.op].name,
  };
  return says.replace(/\{(\w+)\}/g, (_, name) => names[name]);
}

/**
 * Gradients with one path omitted, kept alone or wrong, or with factors added up.
 * @param {Graph} graph
 * @param {number} node
 * @param {Gradients} gradients
 * @returns {Generator<Candidate>}
 */
function* wrongPaths(graph, node, gradients) {
  const right = gradients[node] ?? 0;
  const { paths } = pathsTo(graph, node, QUIZ.paths + 1);
  if (paths.length > QUIZ.paths) return;
  const isOneOfMany = paths.length > 1;
  if (isOneOfMany) {
    for (const { product } of paths) {
      yield [right - product, () => filled(QUIZ.path, number(product))];
      yield [product, () => filled(QUIZ.onePath, paths.length)];
    }
  }
  const short = paths.filter(({ slots }) => slots.length <= QUIZ.length);
  if (isOneOfMany) {
    const factors = short.flatMap((path) => factorsOf(graph, path, gradients));
    yield* slipped(graph, right, factors);
    yield* mixedUp(graph, right, factors);
  }
  for (const path of short) {
    for (const [instead, says] of added(graph, path)) yield [right + instead - path.product, says];
  }
}

/**
 * The factors of one path, each with the product of the others.
 * @param {Graph} graph
 * @param {import("./graph.js").Path} path
 * @param {Gradients} gradients
 * @returns {Way[]}
 */
function factorsOf(graph, { nodes, slots }, gradients) {
  const slopes = slots.map((slot, k) => local(graph, nodes[k], slot));
  return slots.map((slot, k) => {
    const rest = multiplied(slopes.filter((_, other) => other !== k));
    return [{ node: nodes[k], slot, slope: slopes[k], upstream: gradients[nodes[k]] ?? 0 }, rest];
  });
}

/**
 * Products of a path in which all factors, or two of them, are added instead.
 * @param {Graph} graph
 * @param {import("./graph.js").Path} path
 * @returns {Generator<Candidate>}
 */
function* added(graph, { nodes, slots }) {
  const factors = slots.map((slot, k) => local(graph, nodes[k], slot));
  const every = [...factors.keys()];
  const butOnes = every.filter((i) => factors[i] !== 1);
  const pairs = every
    .flatMap((i) => every.slice(i + 1).map((k) => [i, k]))
    .filter((pair) => pair.some((i) => factors[i] !== 1));
  for (const chosen of [butOnes, every, ...pairs]) {
    const some = chosen.map((i) => factors[i]);
    const rest = multiplied(factors.filter((_, i) => !chosen.includes(i)));
    const total = some.reduce((sum, x) => sum + x, 0);
    yield [rest * total, () => filled(QUIZ.added, some.map((x) => number(x)).join(" · "))];
  }
}

/** @param {number[]} numbers */
function multiplied(numbers) {
  return numbers.reduce((so, x) => so * x, 1);
}

/**
 * Single factors, products that stop before the output, and gradients of other nodes.
 * @param {Graph} graph
 * @param {number} node
 * @param {Gradients} gradients
 * @param {Map<number, number>} tangents
 * @returns {Generator<Candidate>}
 */
function* parts(graph, node, gradients, tangents) {
  const root = rootOf(graph);
  for (const [of, row] of graph.rows.entries()) {
    for (const [slot, by] of row.args.entries()) {
      if ((tangents.get(by) ?? 0) === 0 || isConstant(graph.rows[by])) continue;
      yield [local(graph, of, slot), () => filled(QUIZ.part, slopeName(graph, of, by))];
    }
  }
  for (const other of graph.rows.keys()) {
    const tangent = tangents.get(other);
    if (tangent === undefined || other === node || other === root) continue;
    yield [tangent, () => filled(QUIZ.part, slopeName(graph, other, node))];
  }
  for (const other of reached(graph)) {
    const gradient = gradients[other];
    if (gradient === undefined || other === node) continue;
    yield [gradient, () => filled(QUIZ.other, graph.rows[other].name)];
  }
}

/** The nodes that receive a gradient, in the order of the backward pass. @param {Graph} graph */
function reached(graph) {
  return new Set([rootOf(graph), ...backwardSteps(graph).map(({ arg }) => arg)]);
}

/**
 * The gradient times one extra factor: a local derivative, or the data of a node.
 * @param {Graph} graph
 * @param {number} right
 * @returns {Generator<Candidate>}
 */
function* extraFactors(graph, right) {
  for (const [of, row] of graph.rows.entries()) {
    for (const slot of flowingSlots(graph, of)) {
      const by = row.args[slot];
      if (isConstant(graph.rows[by])) continue;
      const slope = local(graph, of, slot);
      yield [right * slope, () => filled(QUIZ.extra, slopeName(graph, of, by), number(slope))];
    }
  }
  for (const [i, row] of graph.rows.entries()) {
    const value = graph.values[i];
    yield [right * value, () => filled(QUIZ.extra, row.name, number(value))];
  }
}

/** The symbol ∂of/∂by. @param {Graph} graph @param {number} of @param {number} by */
function slopeName(graph, of, by) {
  return `∂${graph.rows[of].atom}/∂${graph.rows[by].atom}`;
}

/**
 * ∂other/∂node for every node that depends on `node`, by forward mode.
 * @param {Graph} graph
 * @param {number} node
 */
function tangentsOf(graph, node) {
  const tangents = new Map([[node, 1]]);
  for (let other = node + 1; other <= rootOf(graph); other++) {
    let moving = 0;
    let depends = false;
    for (const slot of flowingSlots(graph, other)) {
      const tangent = tangents.get(graph.rows[other].args[slot]);
      if (tangent === undefined) continue;
      depends = true;
      moving += local(graph, other, slot) * tangent;
    }
    if (depends) tangents.set(other, moving);
  }
  return tangents;
}
