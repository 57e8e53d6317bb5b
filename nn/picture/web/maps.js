// The feature maps of a network on images: an image for each channel of each module's output. The
// window from which a pixel is made is marked in the maps before it.

import { byId, html, setAttribute } from "./elements.js";
import { figure } from "./neuron.js";
import { number } from "./number.js";
import { Program } from "./program.js";
import { paint, spanOf } from "./raster.js";

/** @typedef {import("./program.js").Numbers} Numbers */

/**
 * What comes out of a module.
 * @typedef {object} Stage
 * @property {string} name
 * @property {string} activation
 * @property {number[]} shape (channels, height, width), or (size,); a signal has height 1
 * @property {string} gives the shape, as in Python
 * @property {[number, number] | null} bounds the range of its numbers, if fixed
 * @property {{size: number[], stride: number[], padding: number[], readsAll: boolean} | null} window
 */

/**
 * A map: one channel of what comes out of a stage.
 * @typedef {{canvas: HTMLCanvasElement, mark: HTMLElement}} FeatureMap
 */

/** A pixel of a map: its stage, channel, row and column. @typedef {[number, number, number, number]} Pixel */

/** A rectangle of a map: first row, first column, rows and columns. @typedef {[number, number, number, number]} Box */

const DARKEST = 30; // grey level (0 to 255) of the smallest number
const MOST = 64; // most maps of a stage that are shown
const LARGE = 14; // a map with longer sides is shown larger

export class Maps {
  /** @param {{program: any, image: Stage, stages: Stage[]}} front */
  constructor(front) {
    this.program = new Program(front.program);
    /** @type {Stage[]} the image and the stages that have maps; the last ones may have none */
    this.stages = [front.image, ...front.stages].filter(({ shape }) => shape.length === 3);
    this.sizes = front.stages.map(({ shape }) => shape.reduce((size, side) => size * side, 1));
    /** @type {Numbers[]} the numbers of the image and of each stage */
    this.numbers = [];
    /** @type {FeatureMap[][]} */
    this.maps = this.stages.map((stage, k) => this.makeStage(stage, k));
    /** @type {Pixel | null} */
    this.pixel = null;
  }

  /** @param {Stage} stage @param {number} k @returns {FeatureMap[]} */
  makeStage({ name, activation, shape, gives }, k) {
    const [channels, height, width] = shape;
    const maps = Array.from({ length: Math.min(channels, MOST) }, (_, channel) =>
      this.makeMap(k, channel),
    );
    const figures = maps.map(({ canvas, mark }) => {
      const framed = html("figure", { class: "map" }, canvas, mark);
      framed.classList.toggle("large", Math.max(height, width) > LARGE);
      framed.classList.toggle("flat", height === 1);
      return framed;
    });
    const title = [name, activation].filter(Boolean).join(", ");
    const left = channels - maps.length;
    byId("stages").append(
      html("h3", {}, `${title} `, html("span", { class: "what" }, gives)),
      html("div", { class: "stage-maps" }, ...figures),
      ...(left > 0 ? [html("p", { class: "what" }, `and ${left} more`)] : []),
    );
    return maps;
  }

  /** @param {number} k @param {number} channel @returns {FeatureMap} */
  makeMap(k, channel) {
    const canvas = /** @type {HTMLCanvasElement} */ (
      html("canvas", { role: "img", class: "pixels", tabindex: "0" })
    );
    const mark = html("span", { class: "mark", "aria-hidden": "true", hidden: "" });
    const [, height, width] = this.stages[k].shape;
    canvas.addEventListener("pointermove", (event) => {
      const { left, top, width: across, height: down } = canvas.getBoundingClientRect();
      const row = Math.floor(((event.clientY - top) / down) * height);
      const column = Math.floor(((event.clientX - left) / across) * width);
      this.choose([k, channel, within(row, height), within(column, width)]);
    });
    canvas.addEventListener("focus", () => {
      if (!this.isChosen(k, channel))
        this.choose([k, channel, Math.floor(height / 2), Math.floor(width / 2)]);
    });
    canvas.addEventListener("keydown", (event) => this.onKey(event, k, channel));
    return { canvas, mark };
  }

  /** @param {number} k @param {number} channel */
  isChosen(k, channel) {
    return this.pixel !== null && this.pixel[0] === k && this.pixel[1] === channel;
  }

  /** @param {KeyboardEvent} event @param {number} k @param {number} channel */
  onKey(event, k, channel) {
    /** @type {Record<string, [number, number]>} */
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const move = moves[event.key];
    if (!move || this.pixel === null || !this.isChosen(k, channel)) return;
    event.preventDefault();
    event.stopPropagation();
    const [, height, width] = this.stages[k].shape;
    const [, , row, column] = this.pixel;
    this.choose([k, channel, within(row + move[0], height), within(column + move[1], width)]);
  }

  /**
   * Compute what comes out of the last stage.
   * @param {number[]} image
   * @param {Numbers} parameters
   */
  features(image, parameters) {
    const outputs = this.program.run([image], parameters);
    this.numbers = [image];
    let start = 0;
    for (const size of this.sizes) {
      this.numbers.push(outputs.slice(start, start + size));
      start += size;
    }
    return [...this.numbers[this.numbers.length - 1]];
  }

  /** Paint the maps of the last image. @param {[number, number]} range of the image */
  show(range) {
    for (const [k, { name, shape, bounds }] of this.stages.entries()) {
      const [, height, width] = shape;
      const fixed = k === 0 ? range : bounds;
      const [low, high] = fixed ?? spanWithZero(this.numbers[k]);
      for (const [channel, { canvas }] of this.maps[k].entries()) {
        const numbers = this.numbers[k].slice(
          channel * height * width,
          (channel + 1) * height * width,
        );
        paint(canvas, width, numbers, (x) => {
          const share = Number.isFinite(x)
            ? Math.min(1, Math.max(0, (x - low) / (high - low)))
            : 0.5;
          const level = Math.round(DARKEST + (255 - DARKEST) * share);
          return [level, level, level];
        });
        const span = spanOf(numbers);
        const said = `from ${number(span.low)} to ${number(span.high)}`;
        setAttribute(canvas, "aria-label", `${nameOf(name, channel, shape[0])}: ${said}`);
      }
    }
    this.showPixel();
  }

  /** @param {Pixel} pixel */
  choose(pixel) {
    this.pixel = pixel;
    this.showPixel();
  }

  /** Mark the chosen pixel and its window, and say its number. */
  showPixel() {
    for (const { mark } of this.maps.flat()) mark.hidden = true;
    if (this.pixel === null) return;
    const [k, channel, row, column] = this.pixel;
    const { name, shape, window } = this.stages[k];
    const [, height, width] = shape;
    this.mark(k, channel, [row, column, 1, 1]);
    const x = this.numbers[k][(channel * height + row) * width + column];
    const of = nameOf(name, channel, shape[0]);
    byId("pixel").replaceChildren(`${of}, ${placeOf(row, column, height)}: `, figure(x));
    if (window === null) return;
    const { size, stride, padding, readsAll } = window;
    const [top, left] = [row * stride[0] - padding[0], column * stride[1] - padding[1]];
    for (const other of this.maps[k - 1].keys())
      if (readsAll || other === channel) this.mark(k - 1, other, [top, left, size[0], size[1]]);
    const before = this.stages[k - 1];
    const [count] = before.shape;
    const read = readsAll && count > 1 ? `all ${count} maps` : nameOf(before.name, channel, count);
    const rows = height === 1 ? "" : `rows ${top} to ${top + size[0] - 1}, columns `;
    const columns = `${height === 1 ? "places " : ""}${left} to ${left + size[1] - 1}`;
    byId("pixel").append(`, made from ${rows}${columns} of ${read}`);
  }

  /** Mark a rectangle of a map. @param {number} k @param {number} channel @param {Box} box */
  mark(k, channel, [top, left, rows, columns]) {
    const [, height, width] = this.stages[k].shape;
    const { mark } = this.maps[k][channel];
    mark.style.left = `${(100 * left) / width}%`;
    mark.style.top = `${(100 * top) / height}%`;
    mark.style.width = `${(100 * columns) / width}%`;
    mark.style.height = `${(100 * rows) / height}%`;
    mark.hidden = false;
  }
}

/** @param {number} row @param {number} column @param {number} height */
function placeOf(row, column, height) {
  return height === 1 ? `place ${column}` : `row ${row}, column ${column}`;
}

/** The name of a map. @param {string} name @param {number} channel @param {number} count */
function nameOf(name, channel, count) {
  return count > 1 || !["image", "signal"].includes(name)
    ? `map ${channel} of ${name}`
    : `the ${name}`;
}

/** @param {number} place @param {number} size */
function within(place, size) {
  return Math.max(0, Math.min(size - 1, place));
}

/** The range of the numbers, with 0 in it. @param {Numbers} numbers @returns {[number, number]} */
function spanWithZero(numbers) {
  const { low, high } = spanOf(numbers);
  return [Math.min(0, low), Math.max(1e-12, high)];
}
