// Gradient descent on the leaves of the graph, and the chart of the cost.

import { chart } from "./chart.js";
import { byId, setText } from "./elements.js";
import { evaluated, finiteGradients, rootOf } from "./graph.js";
import { number } from "./number.js";

/**
 * The parameters after one step: p − lr × ∂cost/∂p for each leaf that moves.
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
 * The numbers of the graph at new parameters.
 * @param {import("./graph.js").Graph} graph
 * @param {Map<number, number>} places the new data of the parameters
 * @param {number} lr
 * @returns {number[]}
 * @throws {RangeError} the graph cannot be evaluated at these parameters
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
 * The numbers of the graph after `count` steps, and the cost after each step.
 * @param {import("./graph.js").Graph} graph
 * @param {import("./steps.js").Plan} plan
 * @param {number} lr
 * @param {number} count
 * @returns {{values: number[], costs: number[]}}
 * @throws {RangeError} a step leads outside the domain of an operation, or there is no derivative
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
 * Draw the costs so far, and describe them in words.
 * @param {number[]} costs the cost before the first step and after each step
 * @param {string} name the name of the cost
 */
export function showCosts(costs, name) {
  const steps = costs.length - 1;
  const now = number(costs[steps]);
  setText(
    byId("descent-said"),
    steps
      ? `${name} = ${now} after ${steps} ${steps === 1 ? "step" : "steps"}, from ${number(costs[0])}`
      : `${name} = ${now}`,
  );
  const label = `${name} from ${number(costs[0])} to ${now}`;
  byId("curve").replaceChildren(...(steps ? [chart([{ values: costs, kind: "" }], label)] : []));
}
