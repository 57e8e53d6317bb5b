// Gradient descent on the leaves of the graph, and the chart of the cost.

import { chart } from "./chart.js";
import { byId, setText } from "./elements.js";
import { evaluated, finiteGradients, rootOf } from "./graph.js";
import { number } from "./number.js";

const MOST_NAMES = 8;

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
 * @param {import("./steps.js").Plan} plan
 * @param {number} lr
 * @returns {number[]}
 * @throws {RangeError} at these parameters an operation has no number or no finite derivative
 */
function arrived(graph, places, plan, lr) {
  try {
    for (const [i, x] of places) {
      if (!Number.isFinite(x)) throw new RangeError(`${graph.rows[i].name} becomes ${number(x)}.`);
    }
    const values = evaluated(graph, places);
    finiteGradients({ rows: graph.rows, values }, plan.backward);
    return values;
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
    moving.values = arrived(moving, downhill(moving, plan, lr), plan, lr);
    costs.push(moving.values[rootOf(graph)]);
  }
  return { values: moving.values, costs };
}

/**
 * Draw the costs so far, and describe them in words.
 * @param {import("./graph.js").Graph} graph
 * @param {number[]} costs the cost before the first step and after each step
 */
export function showCosts(graph, costs) {
  const { name } = graph.rows[rootOf(graph)];
  const steps = costs.length - 1;
  const now = number(costs[steps]);
  setText(
    byId("descent-said"),
    steps
      ? `${name} = ${now} after ${steps} ${steps === 1 ? "step" : "steps"}, from ${number(costs[0])}`
      : `${name} = ${now}`,
  );
  setText(byId("moving"), `Steps change ${movingNames(graph)}.`);
  const label = `${name} from ${number(costs[0])} to ${now}`;
  byId("curve").replaceChildren(...(steps ? [chart([{ values: costs, kind: "" }], label)] : []));
}

/** The names of the leaves that steps downhill change. @param {import("./graph.js").Graph} graph */
function movingNames({ rows }) {
  const names = rows.flatMap((row) => (row.moves ? [row.name] : []));
  if (names.length <= MOST_NAMES) return names.join(", ") || "nothing";
  return `${names.slice(0, MOST_NAMES).join(", ")} and ${names.length - MOST_NAMES} more`;
}
