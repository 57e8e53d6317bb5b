// The boxes and lines of the drawing for a set of open groups. A closed group is one box.

import { shownNodes, shownSlots } from "./graph.js";

const MOST_BOXES = 120; // with more boxes, the layout takes too long

/** @typedef {import("./graph.js").Graph} Graph */
/** A group; if it is a function, with the nodes of its outputs.
 * @typedef {{name: string, parent: number, count: number, size: [number, number], outputs: number[]}} Group
 */

/**
 * A line of the drawing, and the edges [node, slot] of the graph that it represents.
 * @typedef {{id: string, tail: string, head: string, stands: [number, number][]}} Line
 */

/**
 * The visible boxes and lines; `item[i]` is the box that shows node i, or "" if none does.
 * @typedef {{boxes: string[], lines: Line[], item: string[]}} View
 */

/**
 * The view with these groups open. Its ids must equal those of `groups.py` and `play.py`.
 * @param {Graph} graph
 * @param {Group[]} groups
 * @param {Set<number>} open
 * @returns {View}
 */
export function viewOf(graph, groups, open) {
  const shown = shownNodes(graph);
  const item = graph.rows.map((row, i) =>
    shown[i] ? visible(`n${i}`, row.group ?? -1, groups, open) : "",
  );
  /** @type {Map<string, Line>} */
  const lines = new Map();
  graph.rows.forEach((row, i) => {
    if (!shown[i]) return;
    for (const slot of shownSlots(graph, i)) {
      const [tail, head] = [item[row.args[slot]], item[i]];
      if (tail === head) continue;
      const plain = tail.startsWith("n") && head.startsWith("n");
      const id = plain ? `${tail}-${head}-${slot}` : `${tail}-${head}`;
      if (!lines.has(id)) lines.set(id, { id, tail, head, stands: [] });
      lines.get(id)?.stands.push([i, slot]);
    }
  });
  return { boxes: [...new Set(item.filter(Boolean))], lines: [...lines.values()], item };
}

/**
 * The box that shows a node: its own box, or the outermost closed group around it.
 * @param {string} box
 * @param {number} group
 * @param {Group[]} groups
 * @param {Set<number>} open
 */
function visible(box, group, groups, open) {
  let seen = box;
  for (let inside = group; inside >= 0; inside = groups[inside].parent) {
    if (!open.has(inside)) seen = `g${inside}`;
  }
  return seen;
}

/**
 * The open groups after one more is opened. If there would be too many boxes, the groups that were
 * opened first are closed, except those that contain the new one.
 * @param {Graph} graph
 * @param {Group[]} groups
 * @param {Set<number>} open
 * @param {number} opening
 */
export function opened(graph, groups, open, opening) {
  const kept = new Set([...open, opening]);
  for (const earlier of open) {
    if (viewOf(graph, groups, kept).boxes.length <= MOST_BOXES) break;
    if (!isInside(groups, opening, earlier)) kept.delete(earlier);
  }
  return new Set([...kept].filter((i) => isReached(groups, i, kept)));
}

/**
 * True if all groups around a group are open.
 * @param {Group[]} groups
 * @param {number} i
 * @param {Set<number>} open
 */
function isReached(groups, i, open) {
  for (let inside = groups[i].parent; inside >= 0; inside = groups[inside].parent) {
    if (!open.has(inside)) return false;
  }
  return true;
}

/**
 * True if group i is `outer`, or lies in it at any depth.
 * @param {Group[]} groups
 * @param {number} i
 * @param {number} outer
 */
export function isInside(groups, i, outer) {
  for (let inside = i; inside >= 0; inside = groups[inside].parent) {
    if (inside === outer) return true;
  }
  return false;
}

/**
 * A group's name, with the names of the groups around it.
 * @param {Group[]} groups
 * @param {number} i
 */
export function fullName(groups, i) {
  const names = [];
  for (let inside = i; inside >= 0; inside = groups[inside].parent) {
    names.unshift(groups[inside].name);
  }
  return names.join(" / ");
}
