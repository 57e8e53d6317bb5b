// Wrong gradients that a learner could arrive at, and how they came.
//
// The same as in `slips.py`, which explains them; its tables SLIPS and SLOPES are used as they are.

import { backwardSteps, isConstant, local, pathsTo, rootOf } from "./graph.js";
import { number, parsed } from "./number.js";

/** @typedef {import("./graph.js").Graph} Graph */
/** @typedef {(number | undefined)[]} Gradients */

/** A wrong gradient, and what is said to who arrives at it. @typedef {[number, () => string]} Candidate */

/** The local derivative of one edge, and what flows into its node.
 * @typedef {{node: number, slot: number, slope: number, upstream: number}} Factor
 */

/** A factor, and what it is multiplied by in the gradient. @typedef {[Factor, number]} Way */

/**
 * Wrong gradients of a node, the commonest first.
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

/** The right digits elsewhere, and what is a whole number of times too large or small. @param {number} right @returns {Generator<Candidate>} */
function* offByAFactor(right) {
  for (const places of QUIZ.places) yield [right * 10 ** places, () => QUIZ.digits];
  for (const k of QUIZ.multiples) {
    yield [right * k, () => filled(QUIZ.times, k)];
    yield [right / k, () => filled(QUIZ.divided, k)];
  }
}

/** A text with its gaps filled in order. @param {string} text @param {(string | number)[]} texts */
function filled(text, ...texts) {
  return texts.reduce((/** @type {string} */ so, part) => so.replace("{}", () => String(part)), text);
}

/** Contributions that were not added. @param {Graph} graph @param {number} node @param {Gradients} gradients @returns {Generator<Candidate>} */
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
 * The factors that the gradient is made of.
 * @param {Graph} graph
 * @param {Gradients} gradients
 * @param {Map<number, number>} tangents
 * @returns {Way[]}
 */
function onTheWay(graph, gradients, tangents) {
  /** @type {Way[]} */
  const found = [];
  for (const [node, row] of graph.rows.entries()) {
    for (const [slot, arg] of row.args.entries()) {
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
 * Each slip at each factor.
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

/** The slope of another activation at each activation. @param {Graph} graph @param {number} right @param {Way[]} factors @returns {Generator<Candidate>} */
function* mixedUp(graph, right, factors) {
  for (const [factor, reach] of factors) {
    for (const [name, slope] of slopesOfOthers(graph, factor)) {
      yield [right + reach * (slope - factor.slope), () => said(QUIZ.slope, graph, factor, name)];
    }
  }
}

/** What a slip is computed from, in the order of `NAMES` in `slips.py`. @param {Graph} graph @param {Factor} factor */
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
 * The slopes of other activations, at this one's value and at their own.
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
 * What is said of a slip at a factor.
 * @param {string} says
 * @param {Graph} graph
 * @param {Factor} factor
 * @param {string} [rival]
 */
function said(says, graph, { node, slot, slope, upstream }, rival) {
  const row = graph.rows[node];
  const operand = graph.rows[row.args[slot]];
  const others = row.args.filter((_, k) => k !== slot).map((arg) => graph.rows[arg].name);
  const formula = row.slopes?.[slot] ?? "";
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
 * One of several paths that is left out, kept alone, or wrong; factors that were added.
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
 * All factors of a path, or two of them, added up where they are multiplied.
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
 * A single factor, a product that ends before the output, or one that begins elsewhere.
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

/** The nodes that gradients arrive at, in the order of the backward pass. @param {Graph} graph */
function reached(graph) {
  return new Set([rootOf(graph), ...backwardSteps(graph).map(({ arg }) => arg)]);
}

/** A number or a slope of the graph that has no business in the product. @param {Graph} graph @param {number} right @returns {Generator<Candidate>} */
function* extraFactors(graph, right) {
  for (const [of, row] of graph.rows.entries()) {
    for (const [slot, by] of row.args.entries()) {
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

/** How ∂of/∂by is written. @param {Graph} graph @param {number} of @param {number} by */
function slopeName(graph, of, by) {
  return `∂${graph.rows[of].atom}/∂${graph.rows[by].atom}`;
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
