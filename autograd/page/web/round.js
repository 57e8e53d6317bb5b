// A round of the quiz: the order of its questions, and the score.

import { isConstant, rootOf } from "./graph.js";

export class Round {
  constructor() {
    this.right = 0;
    /** @type {Set<number>} the nodes for which an answer was given or shown */
    this.tried = new Set();
  }

  /** Count an answer; only the first one for a node counts. @param {number} node @param {boolean} right */
  count(node, right) {
    if (right && !this.tried.has(node)) this.right += 1;
    this.tried.add(node);
  }

  /** @param {number} left the number of open questions */
  score(left) {
    const open = left === 0 ? "no question is open" : `${left} open`;
    return `${this.right} of ${this.tried.size} right at the first try, ${open}`;
  }
}

/**
 * The nodes for which the quiz asks, in its own order: the parameters, then the others in the order
 * of the backward pass.
 * @param {import("./graph.js").Graph} graph
 * @param {import("./steps.js").Plan} plan
 */
export function questions(graph, plan) {
  const reached = new Set(plan.backward.map(({ arg }) => arg));
  const asked = [...reached].filter((i) => i !== rootOf(graph) && !isConstant(graph.rows[i]));
  /** @param {number} i */
  const moves = (i) => graph.rows[i].moves ?? false;
  return [...asked.filter(moves).toSorted((a, b) => a - b), ...asked.filter((i) => !moves(i))];
}

/** One of the nodes by chance. @param {number[]} nodes */
export function anyOf(nodes) {
  return nodes[Math.floor(Math.random() * nodes.length)];
}
