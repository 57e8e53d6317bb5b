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
 * One line: numbers (null if there is none), and its CSS class. The first number is that of step
 * `from` (default: 0), and from one to the next it is `every` steps (default: 1).
 * @typedef {{values: (number | null)[], kind: string, from?: number, every?: number}} Line
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
  const last = Math.max(...lines.map((line) => stepOf(line, line.values.length - 1)), 1);
  /** @param {number} step */
  const across = (step) => LEFT + ((WIDTH - LEFT - INSET) * step) / last;
  /** @param {number} x */
  const up = (x) => HEIGHT - INSET - (HEIGHT - 2 * INSET) * ((x - low) / (high - low || 1));
  /** @param {Line} line @returns {[number, number][]} */
  const placed = (line) =>
    line.values.flatMap((x, i) =>
      x === null || !Number.isFinite(x) ? [] : [[across(stepOf(line, i)), up(x)]],
    );
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

/** The step of a line's i-th number. @param {Line} line @param {number} i */
function stepOf({ from = 0, every = 1 }, i) {
  return from + every * i;
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
