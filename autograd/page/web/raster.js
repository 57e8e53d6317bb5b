// Numbers as the pixels of a canvas.

import { colour, mixed } from "./palette.js";

/** @typedef {import("./palette.js").Colour} Colour */

const SHADES = 63; // between the ground and a full colour

/**
 * Give a canvas one pixel for each number; the style sheet says how large it is shown.
 * @param {HTMLCanvasElement} canvas
 * @param {number} columns
 * @param {ArrayLike<number>} numbers row by row
 * @param {(x: number, i: number) => Colour} colourOf
 */
export function paint(canvas, columns, numbers, colourOf) {
  const image = new ImageData(columns, numbers.length / columns);
  for (let i = 0; i < numbers.length; i++) {
    const [red, green, blue] = colourOf(numbers[i], i);
    image.data[4 * i] = red;
    image.data[4 * i + 1] = green;
    image.data[4 * i + 2] = blue;
    image.data[4 * i + 3] = 255;
  }
  canvas.width = image.width;
  canvas.height = image.height;
  contextOf(canvas).putImageData(image, 0, 0);
}

/**
 * Numbers around zero: the ground, and the further the more of plus or minus.
 * @param {HTMLCanvasElement} canvas
 * @param {number} columns
 * @param {ArrayLike<number>} numbers
 */
export function paintAroundZero(canvas, columns, numbers) {
  const bound = boundOf(numbers);
  const [above, below, none] = [shades("plus"), shades("minus"), colour("none")];
  paint(canvas, columns, numbers, (x) => {
    if (Number.isNaN(x)) return none;
    return (x > 0 ? above : below)[Math.round(SHADES * Math.min(1, Math.abs(x) / bound))];
  });
}

/** From the ground to a full colour. @param {string} name */
function shades(name) {
  return Array.from({ length: SHADES + 1 }, (_, shade) => mixed(colour("ground"), colour(name), shade / SHADES));
}

/** The lowest and the highest of numbers; those that are not finite are left out. @param {ArrayLike<number>} numbers */
export function spanOf(numbers) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < numbers.length; i++) {
    if (!Number.isFinite(numbers[i])) continue;
    low = Math.min(low, numbers[i]);
    high = Math.max(high, numbers[i]);
  }
  return { low, high };
}

/** The largest of numbers, signs left out, or 1 if there is none. @param {ArrayLike<number>} numbers */
export function boundOf(numbers) {
  const { low, high } = spanOf(numbers);
  return Math.max(0, -low, high) || 1;
}

/** @param {HTMLCanvasElement} canvas */
export function contextOf(canvas) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("this browser draws no canvas");
  return context;
}
