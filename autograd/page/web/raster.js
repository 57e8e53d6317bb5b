// Draw arrays of numbers as the pixels of a canvas.

import { colour, mixed } from "./palette.js";

/** @typedef {import("./palette.js").Colour} Colour */

const SHADES = 63; // steps between the background and a full colour

/**
 * Paint one pixel for each number; the style sheet sets the displayed size.
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
 * Paint positive numbers in the colour "plus" and negative ones in "minus", stronger for a larger
 * |x|. Zero has the colour of the background.
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

/** The shades from the background to a full colour. @param {string} name */
function shades(name) {
  return Array.from({ length: SHADES + 1 }, (_, shade) =>
    mixed(colour("ground"), colour(name), shade / SHADES),
  );
}

/** The smallest and the largest of the finite numbers. @param {ArrayLike<number>} numbers */
export function spanOf(numbers) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < numbers.length; i++) {
    if (!Number.isFinite(numbers[i])) continue;
    low = Math.min(low, numbers[i]);
    high = Math.max(high, numbers[i]);
  }
  return { low, high };
}

/** The largest finite |x|, or 1 if there is none or it is 0. @param {ArrayLike<number>} numbers */
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
