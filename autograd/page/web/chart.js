// A line chart of numbers that change from step to step, such as the cost.

import { svg } from "./elements.js";
import { number } from "./number.js";
import { spanOf } from "./raster.js";

const WIDTH = 300;
const HEIGHT = 110;
const INSET = 12;
const LEFT = 42; // space for the numbers of the scale
const MOST_DOTS = 40; // a longer line gets a dot at its end only

/**
 * One line: a number for each step (null if there is none), and its CSS class.
 * @typedef {{values: (number | null)[], kind: string}} Line
 */

/**
 * Draw a chart.
 * @param {Line[]} lines
 * @param {string} label a description for screen readers
 * @param {number} [cursor] a step to mark
 */
export function chart(lines, label, cursor) {
  const finite = lines.flatMap(({ values }) =>
    values.filter((x) => x !== null && Number.isFinite(x)),
  );
  const { low, high } = spanOf([0, .../** @type {number[]} */ (finite)]);
  const last = Math.max(...lines.map(({ values }) => values.length - 1), 1);
  /** @param {number} step */
  const across = (step) => LEFT + ((WIDTH - LEFT - INSET) * step) / last;
  /** @param {number} x */
  const up = (x) => HEIGHT - INSET - (HEIGHT - 2 * INSET) * ((x - low) / (high - low || 1));
  /** @param {Line} line @returns {[number, number][]} */
  const placed = ({ values }) =>
    values.flatMap((x, step) => (x === null || !Number.isFinite(x) ? [] : [[across(step), up(x)]]));
  const marks =
    cursor === undefined
      ? []
      : [
          svg("line", {
            x1: across(cursor),
            y1: 2,
            x2: across(cursor),
            y2: HEIGHT - INSET,
            class: "cursor",
          }),
        ];
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "curve", role: "img", "aria-label": label },
    svg("title", {}, `from ${number(low)} to ${number(high)}`),
    svg("line", { x1: LEFT, y1: up(0), x2: WIDTH - INSET, y2: up(0), class: "axis" }),
    ...[low, high].map((x) =>
      svg("text", { x: LEFT - 4, y: up(x) + 4, class: "scale" }, number(x, 3)),
    ),
    ...marks,
    ...lines.flatMap((line) => drawn(placed(line), line.kind)),
  );
}

/** @param {[number, number][]} points @param {string} kind */
function drawn(points, kind) {
  const dots = points.length <= MOST_DOTS ? points : points.slice(-1);
  const text = points.map((point) => point.map((x) => x.toFixed(1)).join(",")).join(" ");
  return [
    svg("polyline", { points: text, class: `falling ${kind}` }),
    ...dots.map(([x, y]) =>
      svg("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 3, class: `dot ${kind}` }),
    ),
  ];
}
