// A network with two inputs, evaluated over the plane of these inputs: the regions of its answers,
// and the activations of its neurons.

import { answered } from "./answers.js";
import { at, forwardAll } from "./forward.js";
import { colour, css, kindName, mixed } from "./palette.js";
import { contextOf, paint, paintAroundZero } from "./raster.js";

/** @typedef {import("./answers.js").Answers} Answers */

/** The network is evaluated at GRID × GRID points; while it learns, at SMALL × SMALL. */
export const GRID = 64;
export const SMALL = GRID / 2;

const SIZE = 720; // width and height of the drawing, in pixels
const MARGIN = 0.12; // around the points, as a share of their extent
const MARKER = 9; // radius of a marker
const FULL_TINT = 0.62; // share of the class's colour where the network is sure

/** @typedef {{low: [number, number], high: [number, number]}} Box a rectangle in the plane */

/**
 * The rectangle around the points, with a margin; without points, the square from -1 to 1.
 * @param {number[][]} points
 * @returns {Box}
 */
export function boxAround(points) {
  if (points.length === 0) return { low: [-1, -1], high: [1, 1] };
  const sides = [0, 1].map((axis) => {
    const values = points.map((point) => point[axis]);
    const low = Math.min(...values);
    const high = Math.max(...values);
    const margin = MARGIN * (high > low ? high - low : Math.max(Math.abs(high), 1));
    return [low - margin, high + margin];
  });
  return { low: [sides[0][0], sides[1][0]], high: [sides[0][1], sides[1][1]] };
}

/**
 * The centres of the cells of a grid, from the top row down: for each axis, its numbers.
 * @param {Box} box
 * @param {number} [side] the number of cells along each axis
 * @returns {Float64Array[]}
 */
export function gridOver({ low, high }, side = GRID) {
  /** @param {number} axis @param {(i: number) => number} cellOf */
  const along = (axis, cellOf) =>
    Float64Array.from(
      { length: side * side },
      (_, i) => low[axis] + ((high[axis] - low[axis]) * (cellOf(i) + 0.5)) / side,
    );
  return [along(0, (i) => i % side), along(1, (i) => side - 1 - Math.floor(i / side))];
}

/**
 * The activations of the network at the centre of each cell of a grid.
 * @param {import("./forward.js").Layer[]} layers
 * @param {Box} box
 * @param {number} side the number of cells along each axis
 */
export function survey(layers, box, side) {
  return forwardAll(layers, gridOver(box, side)).activations;
}

/** @typedef {ReturnType<typeof survey>} Survey */

/**
 * True if the network gives one answer at each point, so that a region has one colour.
 * @param {Answers} answers
 */
export function hasRegions({ kind }) {
  return kind === "classes" || kind === "sides";
}

/**
 * Paint the region of each answer, in a stronger colour where the network is surer.
 * @param {HTMLCanvasElement} canvas
 * @param {Survey} surveyed
 * @param {Answers} answers
 */
export function paintRegion(canvas, surveyed, answers) {
  const outputs = surveyed[surveyed.length - 1];
  const side = Math.sqrt(outputs[0].length);
  const small = document.createElement("canvas");
  if (!hasRegions(answers)) {
    paintAroundZero(small, side, outputs[0]);
  } else {
    const ground = colour("ground");
    const kinds = answers.names.map((_, kind) => colour(kindName(kind)));
    const said = Array.from(outputs[0], (_, i) => answered(answers, at(outputs, i)));
    const even = 1 / answers.names.length;
    paint(
      small,
      side,
      said.map((answer) => answer.said?.[0] ?? -1),
      (best, i) => {
        if (best < 0) return colour("none");
        const sure = ((said[i].shares[best] ?? 1) - even) / (1 - even);
        return mixed(ground, kinds[best], FULL_TINT * (0.3 + 0.7 * Math.max(0, sure)));
      },
    );
  }
  canvas.width = SIZE;
  canvas.height = SIZE;
  contextOf(canvas).drawImage(small, 0, 0, SIZE, SIZE);
}

/**
 * Paint the points, with a colour and a marker for each class.
 * @param {HTMLCanvasElement} canvas
 * @param {Box} box
 * @param {number[][]} points
 * @param {number[] | null} kinds
 */
export function paintPoints(canvas, box, points, kinds) {
  const colours = kinds ? kinds.map((kind) => colour(kindName(kind))) : [];
  paintMarkers(canvas, box, points, kinds ?? [], (i) => colours[i] ?? colour("ink"));
}

/**
 * Paint the points, with a marker for each kind.
 * @param {HTMLCanvasElement} canvas
 * @param {Box} box
 * @param {number[][]} points
 * @param {number[]} kinds empty if all are of one kind
 * @param {(i: number) => import("./palette.js").Colour} colourOf
 * @param {boolean} [hollow] only the outlines
 */
export function paintMarkers(canvas, box, points, kinds, colourOf, hollow = false) {
  const context = contextOf(canvas);
  const paths = Array.from(
    { length: Math.max(0, ...kinds) + 1 },
    (_, kind) => new Path2D(marker(kind, MARKER)),
  );
  const ground = css(colour("ground"));
  points.forEach((point, i) => {
    const own = css(colourOf(i));
    const [x, y] = placeOf(box, point);
    const path = paths[kinds[i] ?? 0];
    context.fillStyle = hollow ? ground : own;
    context.strokeStyle = hollow ? own : ground;
    context.lineWidth = hollow ? 3 : 2;
    context.save();
    context.translate(x, y);
    context.fill(path);
    context.stroke(path);
    context.restore();
  });
}

/**
 * Paint a cross hair around a point.
 * @param {HTMLCanvasElement} canvas
 * @param {Box} box
 * @param {number[]} point
 */
export function paintProbe(canvas, box, point) {
  const context = contextOf(canvas);
  const [x, y] = placeOf(box, point);
  for (const [name, width] of /** @type {[string, number][]} */ ([
    ["ground", 7],
    ["ink", 3],
  ])) {
    context.strokeStyle = css(colour(name));
    context.lineWidth = width;
    context.stroke(
      new Path2D(`M${x - 26} ${y}h16M${x + 10} ${y}h16M${x} ${y - 26}v16M${x} ${y + 10}v16`),
    );
  }
}

/** @param {Box} box @param {number[]} point */
function placeOf({ low, high }, [x, y]) {
  return [(SIZE * (x - low[0])) / (high[0] - low[0]), (SIZE * (high[1] - y)) / (high[1] - low[1])];
}

/**
 * The point of the plane under the pointer.
 * @param {HTMLCanvasElement} canvas
 * @param {Box} box
 * @param {MouseEvent} event
 */
export function pointUnder(canvas, { low, high }, event) {
  const seen = canvas.getBoundingClientRect();
  const across = (event.clientX - seen.left) / seen.width;
  const up = (seen.bottom - event.clientY) / seen.height;
  return [low[0] + (high[0] - low[0]) * across, low[1] + (high[1] - low[1]) * up];
}

/**
 * The outline of a class's marker as an SVG path, centred at zero.
 * @param {number} kind
 * @param {number} r
 */
export function marker(kind, r) {
  const outlines = [
    `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`,
    `M${-0.9 * r} ${-0.9 * r}h${1.8 * r}v${1.8 * r}h${-1.8 * r}Z`,
    `M0 ${-1.2 * r}L${1.15 * r} ${0.9 * r}H${-1.15 * r}Z`,
    `M0 ${-1.3 * r}L${1.3 * r} 0L0 ${1.3 * r}L${-1.3 * r} 0Z`,
    `M${-0.4 * r} ${-1.2 * r}h${0.8 * r}v${0.8 * r}h${0.8 * r}v${0.8 * r}h${-0.8 * r}v${0.8 * r}h${-0.8 * r}v${-0.8 * r}h${-0.8 * r}v${-0.8 * r}h${0.8 * r}Z`,
    `M0 ${1.2 * r}L${1.15 * r} ${-0.9 * r}H${-1.15 * r}Z`,
  ];
  return outlines[(kind + Math.floor(kind / outlines.length)) % outlines.length];
}
