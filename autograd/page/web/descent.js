// Steps downhill, and the curve of the cost.

import { byId, setText, svg } from "./elements.js";
import { evaluated, gradientsAfter, rootOf } from "./graph.js";
import { number } from "./number.js";

const WIDTH = 300;
const HEIGHT = 110;
const INSET = 12;

/**
 * Where the parameters are after a step: p − lr × ∂cost/∂p for each that moves.
 * @param {import("./graph.js").Graph} graph
 * @param {import("./steps.js").Plan} plan
 * @param {number} lr
 * @returns {Map<number, number>}
 */
export function downhill(graph, plan, lr) {
  const gradients = gradientsAfter(graph, plan.backward);
  const moves = graph.rows.flatMap((row, i) => (row.moves ? [i] : []));
  return new Map(moves.map((i) => [i, graph.values[i] - lr * (gradients[i] ?? 0)]));
}

/**
 * The numbers of the graph after so many steps.
 * @param {import("./graph.js").Graph} graph
 * @param {import("./steps.js").Plan} plan
 * @param {number} lr
 * @param {number} count
 * @returns {{values: number[], costs: number[]}}
 * @throws {RangeError} a step leads where an operation is not defined
 */
export function descended(graph, plan, lr, count) {
  const moving = { rows: graph.rows, values: graph.values };
  const costs = [];
  for (let k = 0; k < count; k++) {
    moving.values = evaluated(moving, downhill(moving, plan, lr));
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
  byId("curve").replaceChildren(...(steps ? [curve(costs, name)] : []));
}

/** @param {number[]} costs @param {string} name */
function curve(costs, name) {
  const finite = costs.filter(Number.isFinite);
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  const points = costs.map((cost, k) => {
    const x = INSET + ((WIDTH - 2 * INSET) * k) / (costs.length - 1);
    const share = high > low ? (cost - low) / (high - low) : 0.5;
    return [x, HEIGHT - INSET - (HEIGHT - 2 * INSET) * share];
  });
  const dots = points.length <= 40 ? points : points.slice(-1);
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "curve", role: "img", "aria-label": `${name} from ${number(costs[0])} to ${number(costs[costs.length - 1])}` },
    svg("line", { x1: INSET, y1: HEIGHT - INSET, x2: WIDTH - INSET, y2: HEIGHT - INSET, class: "axis" }),
    svg("polyline", { points: points.map((point) => point.map((x) => x.toFixed(1)).join(",")).join(" "), class: "falling" }),
    ...dots.map(([x, y]) => svg("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 3, class: "dot" })),
  );
}
