// The graph as data, its evaluation, and the chain rule. This module does not touch the page.

import { number } from "./number.js";

const LEAF = 0; // positions in OPERATIONS
const CONSTANT = 1;
const SMALLER =
  "Make the operands smaller, or use a form that cannot overflow: softplus, sigmoid, softmax, logsumexp.";
const LETTERS = "abcdefghijklmnopqrstuvwxyz"; // the names of the operands in the rules, in order

/**
 * A node, as `record.py` writes it.
 * @typedef {object} Row
 * @property {number} op the position of its operation in OPERATIONS
 * @property {number[]} args its operands, as positions in the topological order
 * @property {number | string | null} data its number; a string if it is not finite, null if the page
 *   computes it
 * @property {string} name its name in a sentence
 * @property {string} atom its name in ∂C/∂…
 * @property {string} label its label, shortened
 * @property {string} [expression] the operation and its operands, as a formula
 * @property {string[]} [slopes] the local derivatives as formulas; of a look-up, by the index and by
 *   the chosen entry
 * @property {number[]} [locals] the local derivatives, if the page cannot compute them
 * @property {boolean} [moves] true if gradient descent changes it
 * @property {number} [group] the innermost group around it
 * @property {[number, number]} size the width and height of its box
 */

/**
 * A row of the table of operations, as `tables.py` writes it.
 * @typedef {object} Operation
 * @property {string} name not unique: two operations may have the same name
 * @property {string} symbol
 * @property {string} template its formula, with gaps for the operands: "{0} + {1}"
 * @property {string[]} rules its local derivatives as text
 * @property {string | null} domain the condition under which it is defined
 * @property {string | null} remedy advice on how to stay in the domain
 * @property {boolean} looksUp true if it is `take`, which looks up an entry: its operands are the
 *   index and all entries, `value` takes the index and the chosen entry, and `partials` are by the
 *   index, by the chosen entry and by any other
 * @property {boolean} mixedUp true if learners may use another operation's derivative for it
 * @property {((...operands: number[]) => number) | null} value null if the page cannot compute it
 * @property {((out: number, ...operands: number[]) => number)[]} partials its local derivatives
 * @property {((out: number, ...operands: number[]) => number)[]} reads the same in textbook form
 */

/**
 * The nodes in topological order, and their current numbers.
 * @typedef {{rows: Row[], values: number[]}} Graph
 */

/** One multiplication of the backward pass: from a node to one of its operands.
 * @typedef {{node: number, slot: number, arg: number}} Edge
 */

/** @param {Row[]} rows @returns {Graph} */
export function graphOf(rows) {
  const graph = { rows, values: rows.map((row) => Number(row.data)) };
  if (rows.some((row) => row.data === null)) graph.values = evaluated(graph, new Map());
  return graph;
}

/** @param {Graph} graph */
export function rootOf(graph) {
  return graph.rows.length - 1;
}

/**
 * The symbol of a derivative, ∂C/∂w.
 * @param {Graph} graph
 * @param {number} by
 * @param {number} [of] by default the output
 */
export function slopeName(graph, by, of = rootOf(graph)) {
  return `∂${graph.rows[of].atom}/∂${graph.rows[by].atom}`;
}

/** True if the page can compute every node. @param {Graph} graph */
export function isComputable(graph) {
  return graph.rows.every((row) => row.args.length === 0 || OPERATIONS[row.op].value !== null);
}

/** @param {Row} row */
export function isConstant(row) {
  return row.op === CONSTANT;
}

/** @param {Row} row */
export function isLeaf(row) {
  return row.op === LEAF;
}

/** True if a node looks up an entry of a list. @param {Graph} graph @param {number} node */
export function looksUp(graph, node) {
  return OPERATIONS[graph.rows[node].op].looksUp;
}

/**
 * The slots of the operands that the page shows: of a look-up, the index and the chosen entry. If
 * the index is no place in the list, all are shown. As `shown_slots` in core/graph.py.
 * @param {Graph} graph
 * @param {number} node
 */
export function shownSlots(graph, node) {
  const { args } = graph.rows[node];
  if (!looksUp(graph, node)) return [...args.keys()];
  const index = graph.values[args[0]];
  return isPlace(index, args.length - 1) ? [0, 1 + index] : [...args.keys()];
}

/**
 * The slots through which a gradient may flow: those shown, without an index.
 * @param {Graph} graph
 * @param {number} node
 */
export function flowingSlots(graph, node) {
  const slots = shownSlots(graph, node);
  return looksUp(graph, node) ? slots.slice(1) : slots;
}

/**
 * For each node, whether the page shows it: not an entry that no look-up chooses.
 * @param {Graph} graph
 * @returns {boolean[]}
 */
export function shownNodes(graph) {
  const shown = new Array(graph.rows.length).fill(false);
  shown[rootOf(graph)] = true;
  for (let node = rootOf(graph); node >= 0; node--) {
    if (!shown[node]) continue;
    const { args } = graph.rows[node];
    for (const slot of shownSlots(graph, node)) shown[args[slot]] = true;
  }
  return shown;
}

/** The entries that the look-ups choose, as a text that differs if one differs. @param {Graph} graph */
export function choicesOf(graph) {
  return graph.rows.map((_, i) => (looksUp(graph, i) ? shownSlots(graph, i).at(-1) : "")).join();
}

/**
 * The nodes on which an index depends: no small step moves them, as an index is whole. Each has the
 * length of the shortest list if it is itself an index, and else Infinity.
 * @param {Graph} graph
 * @returns {Map<number, number>}
 */
export function indicesOf({ rows }) {
  /** @type {Map<number, number>} */
  const found = new Map();
  for (let node = rows.length - 1; node >= 0; node--) {
    const { args, op } = rows[node];
    if (OPERATIONS[op].looksUp)
      found.set(args[0], Math.min(args.length - 1, found.get(args[0]) ?? Infinity));
    if (found.has(node)) for (const arg of args) found.set(arg, found.get(arg) ?? Infinity);
  }
  return found;
}

/** True if an index is a place in a list. @param {number} index @param {number} count */
function isPlace(index, count) {
  return Number.isInteger(index) && index >= 0 && index < count;
}

/**
 * The numbers of all nodes if some nodes had other numbers.
 * @param {Graph} graph
 * @param {Map<number, number>} changes the new numbers by node
 * @returns {number[]}
 * @throws {RangeError} an operation is not defined for these numbers
 */
export function evaluated(graph, changes) {
  const values = [...graph.values];
  graph.rows.forEach((row, i) => {
    const given = changes.get(i);
    if (given !== undefined) {
      values[i] = given;
    } else if (row.args.length > 0) {
      values[i] = computed(graph, row, operandsOf(graph, row, values));
    }
  });
  return values;
}

/**
 * The numbers of which an operation is computed: of a look-up, the index and the chosen entry.
 * @param {Graph} graph
 * @param {Row} row
 * @param {number[]} values
 * @throws {RangeError} an index is no place in its list
 */
function operandsOf(graph, row, values) {
  if (!OPERATIONS[row.op].looksUp) return row.args.map((arg) => values[arg]);
  const [index, ...entries] = row.args;
  const at = values[index];
  if (!isPlace(at, entries.length)) {
    throw new RangeError(
      `${named(graph, index, at)} is no place in a list of ${entries.length}: an index is a whole number from 0 to ${entries.length - 1}.`,
    );
  }
  return [at, values[entries[at]]];
}

/**
 * A node and its number as text: "x = 3".
 * @param {Graph} graph
 * @param {number} node
 * @param {number} x
 */
function named(graph, node, x) {
  const { name } = graph.rows[node];
  const text = number(x);
  return name === text ? text : `${name} = ${text}`;
}

/**
 * @param {Graph} graph
 * @param {Row} row
 * @param {number[]} operands
 */
function computed(graph, row, operands) {
  const { name, value, domain, remedy } = OPERATIONS[row.op];
  if (value === null) throw new RangeError(`only Python can compute ${name}`);
  const out = value(...operands);
  if (Number.isFinite(out) || !operands.every(Number.isFinite)) return out;
  const at = located(graph, row, operands);
  const outside = operands.length === 1 || Number.isNaN(out) || operands.includes(0);
  if (domain !== null && outside) {
    throw new RangeError(
      `${row.expression} is not defined: ${name} needs ${domain}, and here ${at}. ${remedy}`,
    );
  }
  if (Number.isNaN(out)) throw new RangeError(`${row.expression} could not be computed at ${at}.`);
  throw new RangeError(
    `${row.expression} is too large for a float, at ${at} (the largest is about 1.8e308). ${SMALLER}`,
  );
}

/**
 * The operands of an operation as text, by the letters of its rule: "a = x = 3".
 * @param {Graph} graph
 * @param {Row} row
 * @param {number[]} operands
 */
function located(graph, row, operands) {
  return row.args.map((arg, k) => `${LETTERS[k]} = ${named(graph, arg, operands[k])}`).join(", ");
}

/**
 * The local derivative ∂node/∂operand.
 * @param {Graph} graph
 * @param {number} node
 * @param {number} slot
 */
export function local(graph, node, slot) {
  const row = graph.rows[node];
  if (row.locals) return Number(row.locals[slot]);
  const { partials } = OPERATIONS[row.op];
  const operands = row.args.map((arg) => graph.values[arg]);
  if (!looksUp(graph, node)) return partials[slot](graph.values[node], ...operands);
  const part = slot === 0 ? 0 : operands[0] === slot - 1 ? 1 : 2;
  return partials[part](graph.values[node], ...operands);
}

/**
 * True if the local derivative is 1 by its rule, whatever the data, as in sums.
 * @param {Graph} graph
 * @param {number} node
 * @param {number} slot
 */
export function isUnit(graph, node, slot) {
  return ruleAt(graph, node, slot).endsWith(" = 1");
}

/**
 * The local derivative by one operand as text; the last rule is that of all further operands.
 * @param {Graph} graph
 * @param {number} node
 * @param {number} slot
 */
export function ruleAt(graph, node, slot) {
  const { rules } = OPERATIONS[graph.rows[node].op];
  return rules[Math.min(slot, rules.length - 1)];
}

/**
 * The gradients of all nodes.
 * @param {Graph} graph
 * @param {Edge[]} edges
 * @throws {RangeError} an operation has no finite derivative here
 */
export function finiteGradients(graph, edges) {
  edges.forEach((edge) => checkSlope(graph, edge));
  return gradientsAfter(graph, edges);
}

/** @param {Graph} graph @param {Edge} edge */
function checkSlope(graph, { node, slot }) {
  const row = graph.rows[node];
  const operands = row.args.map((arg) => graph.values[arg]);
  if (
    Number.isFinite(local(graph, node, slot)) ||
    ![...operands, graph.values[node]].every(Number.isFinite)
  )
    return;
  const { rules, remedy } = OPERATIONS[row.op];
  const at = `${located(graph, row, operands)} (${rules.join("; ")})`;
  throw new RangeError(
    `${row.expression} has no finite derivative at ${at}. ${remedy ?? "Move the operands away from there."}`,
  );
}

/**
 * The multiplications of the backward pass, in the same order as in `stepper.py`.
 * @param {Graph} graph
 * @returns {Edge[]}
 */
export function backwardSteps(graph) {
  /** @type {Edge[]} */
  const edges = [];
  const reached = new Set([rootOf(graph)]);
  for (let node = rootOf(graph); node >= 0; node--) {
    if (!reached.has(node)) continue; // only an index depends on it
    for (const slot of flowingSlots(graph, node)) {
      const arg = graph.rows[node].args[slot];
      if (isConstant(graph.rows[arg])) continue;
      reached.add(arg);
      edges.push({ node, slot, arg });
    }
  }
  return edges;
}

/**
 * The gradients after the first `count` multiplications; undefined for a node without one.
 * @param {Graph} graph
 * @param {Edge[]} edges
 * @param {number} [count]
 * @returns {(number | undefined)[]}
 */
export function gradientsAfter(graph, edges, count = edges.length) {
  /** @type {(number | undefined)[]} */
  const found = new Array(graph.rows.length);
  found[rootOf(graph)] = 1;
  for (const { node, slot, arg } of edges.slice(0, count)) {
    found[arg] = (found[arg] ?? 0) + (found[node] ?? 0) * local(graph, node, slot);
    if (looksUp(graph, node)) found[graph.rows[node].args[0]] ??= 0;
  }
  return found;
}

/**
 * One path from the output to a node: its nodes, output first, and the slot taken at each.
 * @typedef {{nodes: number[], slots: number[], product: number}} Path
 */

/**
 * The `most` paths from the output to a node with the largest |product|, and the number of all
 * paths.
 *
 * Each of a node's best paths continues as one of the best paths of an operand. So each node stores
 * only its `most` best, as the slot to take and the rank of the path that continues from there.
 * @param {Graph} graph
 * @param {number} node
 * @param {number} most
 * @returns {{paths: Path[], count: number}}
 */
export function pathsTo(graph, node, most) {
  /** @type {Map<number, Way[]>} */
  const best = new Map([[node, [{ slot: -1, rank: -1, product: 1 }]]]);
  const counts = new Map([[node, 1]]);
  for (let other = node + 1; other < graph.rows.length; other++) {
    const ways = waysOn(graph, other, best);
    if (ways.length === 0) continue;
    ways.sort((a, b) => size(b.product) - size(a.product));
    best.set(other, ways.slice(0, most));
    const { args } = graph.rows[other];
    counts.set(other, sum(flowingSlots(graph, other).map((slot) => counts.get(args[slot]) ?? 0)));
  }
  const root = rootOf(graph);
  const ways = best.get(root) ?? [];
  return {
    paths: ways.map((way) => followed(graph, node, way, best)),
    count: counts.get(root) ?? 0,
  };
}

/** A stored path: the slot to take first, the rank of the operand's path, and the product.
 * @typedef {{slot: number, rank: number, product: number}} Way
 */

/**
 * The paths from a node through each operand that leads to the wanted node.
 * @param {Graph} graph
 * @param {number} node
 * @param {Map<number, Way[]>} best
 * @returns {Way[]}
 */
function waysOn(graph, node, best) {
  return flowingSlots(graph, node).flatMap((slot) => {
    const ways = best.get(graph.rows[node].args[slot]);
    if (ways === undefined) return [];
    const slope = local(graph, node, slot);
    return ways.map(({ product }, rank) => ({ slot, rank, product: slope * product }));
  });
}

/**
 * Follow a stored path from the output to `node`.
 * @param {Graph} graph
 * @param {number} node
 * @param {Way} way
 * @param {Map<number, Way[]>} best
 * @returns {Path}
 */
function followed(graph, node, way, best) {
  const nodes = [rootOf(graph)];
  const slots = [];
  let { slot, rank } = way;
  for (let here = nodes[0]; here !== node;) {
    slots.push(slot);
    here = graph.rows[here].args[slot];
    nodes.push(here);
    ({ slot, rank } = best.get(here)?.[rank] ?? { slot: -1, rank: -1 });
  }
  return { nodes, slots, product: way.product };
}

/** @param {number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, x) => total + x, 0);
}

/** |x|, or infinity for NaN, which sorts it first. @param {number} x */
function size(x) {
  return Number.isNaN(x) ? Infinity : Math.abs(x);
}
