// Steps downhill, and the curve of the cost.

import { chart } from "./chart.js";
import { byId, setText } from "./elements.js";
import { evaluated, finiteGradients, rootOf } from "./graph.js";
import { number } from "./number.js";

/**
 * Where the parameters are after a step: p − lr × ∂cost/∂p for each that moves.
 * @param {import("./graph.js").Graph} graph
 * @param {import("./steps.js").Plan} plan
 * @param {number} lr
 * @returns {Map<number, number>}
 * @throws {RangeError} an operation has no finite derivative here
 */
function downhill(graph, plan, lr) {
  const gradients = finiteGradients(graph, plan.backward);
  const moves = graph.rows.flatMap((row, i) => (row.moves ? [i] : []));
  return new Map(moves.map((i) => [i, graph.values[i] - lr * (gradients[i] ?? 0)]));
}

/**
 * @param {import("./graph.js").Graph} graph
 * @param {Map<number, number>} places of the parameters
 * @param {number} lr
 * @returns {number[]}
 * @throws {RangeError} no number of the graph is computed there
 */
function arrived(graph, places, lr) {
  try {
    for (const [i, x] of places) {
      if (!Number.isFinite(x)) throw new RangeError(`${graph.rows[i].name} becomes ${number(x)}.`);
    }
    return evaluated(graph, places);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`A step of lr = ${lr} leads too far: ${error.message}`);
  }
}

/**
 * The numbers of the graph after so many steps.
 * @param {import("./graph.js").Graph} graph
 * @param {import("./steps.js").Plan} plan
 * @param {number} lr
 * @param {number} count
 * @returns {{values: number[], costs: number[]}}
 * @throws {RangeError} a step leads where an operation is not defined, or begins at no slope
 */
export function descended(graph, plan, lr, count) {
  const moving = { rows: graph.rows, values: graph.values };
  const costs = [];
  for (let k = 0; k < count; k++) {
    moving.values = arrived(moving, downhill(moving, plan, lr), lr);
    costs.push(moving.values[rootOf(graph)]);
  }
  return { values: moving.values, costs };
}

/**
 * Draw the costs so far, and say how they went.
 * @param {number[]} costs
 * @param {string} name of the cost
 */
export function showCosts(costs, name) {
  const steps = costs.length - 1;
  const now = number(costs[steps]);
  setText(byId("descent-said"), steps ? `${name} = ${now} after ${steps} ${steps === 1 ? "step" : "steps"}, from ${number(costs[0])}` : `${name} = ${now}`);
  const label = `${name} from ${number(costs[0])} to ${now}`;
  byId("curve").replaceChildren(...(steps ? [chart([{ values: costs, kind: "" }], label)] : []));
}
