// The paths from the output to a node, written as `explain` writes them: see teach/formulas.py.

import { html } from "./elements.js";
import { flowingSlots, isConstant, isUnit, local, pathsTo, rootOf, slopeName } from "./graph.js";
import { number } from "./number.js";

/** @typedef {import("./graph.js").Graph} Graph */
/** @typedef {import("./graph.js").Path} Path */
/** The derivative of one node of a path by another, from edge `start` up to edge `end`.
 * @typedef {{start: number, end: number}} Factor
 */

const MOST_PATHS = 10;
const MOST_FACTORS = 12; // an even number

/** The paths to a node, as elements of its card. @param {Graph} graph @param {number} node */
export function pathList(graph, node) {
  if (isConstant(graph.rows[node]) || node === rootOf(graph)) return [];
  const { paths, count } = pathsTo(graph, node, MOST_PATHS);
  if (count === 0) return []; // only an index depends on it
  const many = count === 1 ? "one path" : `the sum over ${counted(count)} paths`;
  const items = paths.map((path) => html("li", {}, ...pathLines(graph, path)));
  const rest = `… and ${counted(count - paths.length)} more paths with smaller products`;
  return [
    html("h3", {}, `${slopeName(graph, node)}: ${many}`),
    html("ol", { class: "paths" }, ...items),
    ...(count > paths.length ? [html("p", { class: "what" }, rest)] : []),
  ];
}

/** @param {number} count */
function counted(count) {
  if (count === Infinity) return "more than 10^308";
  return count < 1e15 ? count.toLocaleString("en") : `about 10^${Math.floor(Math.log10(count))}`;
}

/**
 * The nodes of a path, its factors as symbols, and its factors as numbers with their product.
 * @param {Graph} graph
 * @param {Path} path
 */
function pathLines(graph, path) {
  const names = abridged(written(graph, path).map((i) => graph.rows[i].name));
  const factors = telling(graph, path, factorsOf(graph, path));
  const symbols = abridged(
    factors.map(({ start, end }) => slopeName(graph, path.nodes[end], path.nodes[start])),
  );
  const numbers = abridged(
    factors.flatMap((factor) => localsOf(graph, path, factor)).map((x) => number(x)),
  );
  const before = numbers.length > 1 ? `${numbers.join(" · ")} = ` : "";
  return [
    html("span", { class: "route" }, names.join(" ← ")),
    ...(symbols.length > 1 ? [html("span", { class: "symbols" }, symbols.join(" · "))] : []),
    html("span", { class: "product" }, `${before}${number(path.product)}`),
  ];
}

/**
 * The nodes of a path without the partial sums: the unnamed nodes between two factors that are
 * always 1.
 * @param {Graph} graph
 * @param {import("./graph.js").Path} path
 */
function written(graph, { nodes, slots }) {
  const units = slots.map((slot, k) => isUnit(graph, nodes[k], slot));
  return nodes.filter((i, k) => graph.rows[i].label !== "" || !(units[k - 1] && units[k]));
}

/**
 * Split a path at its named nodes: ∂a/∂z is one factor only if no other path joins a and z.
 * @param {Graph} graph
 * @param {Path} path
 * @returns {Factor[]}
 */
function factorsOf(graph, { nodes }) {
  const last = nodes.length - 1;
  const ends = nodes.flatMap((i, k) => (k === last || graph.rows[i].label !== "" ? [k] : []));
  let start = 0;
  return ends.filter(Boolean).flatMap((end) => {
    const whole = { start, end };
    const single = isOnly(graph, nodes[start], nodes[end]);
    start = end;
    if (single) return [whole];
    return Array.from({ length: end - whole.start }, (_, k) => ({
      start: whole.start + k,
      end: whole.start + k + 1,
    }));
  });
}

/** True if just one path joins two nodes. @param {Graph} graph @param {number} upper @param {number} lower */
function isOnly(graph, upper, lower) {
  const ways = new Map([[lower, 1]]);
  for (let node = lower + 1; node <= upper; node++) {
    const { args } = graph.rows[node];
    const counts = flowingSlots(graph, node).map((slot) => ways.get(args[slot]) ?? 0);
    ways.set(
      node,
      counts.reduce((total, count) => Math.min(2, total + count), 0),
    );
  }
  return ways.get(upper) === 1;
}

/**
 * The factors without those that are always 1. The derivative of one named node by another, such as
 * ∂z/∂b = 1, stays if there is room.
 * @param {Graph} graph
 * @param {Path} path
 * @param {Factor[]} factors
 */
function telling(graph, path, factors) {
  /** @param {Factor} factor */
  const varies = (factor) => slopesOf(graph, path, factor).length > 0;
  /** @param {Factor} factor */
  const named = ({ start, end }) =>
    [start, end].every((k) => graph.rows[path.nodes[k]].label !== "");
  const all = factors.filter((factor) => varies(factor) || named(factor));
  return all.length <= MOST_FACTORS ? all : factors.filter(varies);
}

/** The numbers of a factor; 1 if it is always 1. @param {Graph} graph @param {Path} path @param {Factor} factor */
function localsOf(graph, path, factor) {
  const slopes = slopesOf(graph, path, factor);
  return slopes.length > 0 ? slopes : [1];
}

/** The local derivatives in a factor that are not always 1. @param {Graph} graph @param {Path} path @param {Factor} factor */
function slopesOf(graph, { nodes, slots }, { start, end }) {
  const edges = Array.from({ length: end - start }, (_, k) => start + k);
  return edges
    .filter((k) => !isUnit(graph, nodes[k], slots[k]))
    .map((k) => local(graph, nodes[k], slots[k]));
}

/** The items; of a long list only both ends. @param {string[]} items */
function abridged(items) {
  const half = MOST_FACTORS / 2;
  return items.length <= MOST_FACTORS
    ? items
    : [...items.slice(0, half), "…", ...items.slice(-half)];
}
