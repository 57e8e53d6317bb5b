// The states of the network during training, which Python stored in the page.

import { layersOf } from "./forward.js";
import { doubles, floats } from "./packed.js";

/** @typedef {import("./forward.js").Layer} Layer */

/** The weights after an epoch, which are decoded on first use. */
export class Frame {
  /** @type {Float32Array | Float64Array | null} */
  #numbers = null;
  /** @type {Layer[] | null} */
  #weights = null;

  /**
   * @param {number[]} sizes
   * @param {{epoch: number | null, weights: string, exact: boolean}} row
   */
  constructor(sizes, row) {
    this.sizes = sizes;
    this.row = row;
    /** The number of epochs done; null for the current state of the model. */
    this.epoch = row.epoch;
  }

  get numbers() {
    this.#numbers ??= (this.row.exact ? doubles : floats)(this.row.weights);
    return this.#numbers;
  }

  get weights() {
    this.#weights ??= layersOf(this.sizes, this.numbers, ACTIVATIONS);
    return this.#weights;
  }

  /** The parameters of the modules before the layers: those after the weights of the layers. */
  get parameters() {
    const { length } = this.numbers;
    const count = this.weights.reduce((sum, { numbers }) => sum + numbers.length, 0);
    return this.numbers.subarray(count, length);
  }

  get isFinite() {
    return this.numbers.every(Number.isFinite);
  }
}

/**
 * The position of the frame of an epoch, or of the last frame before it; null if the label is no
 * number.
 * @param {Frame[]} frames
 * @param {string} label
 */
export function positionOf(frames, label) {
  if (label === "now") return frames.length - 1;
  const asked = Number(label);
  if (!Number.isFinite(asked)) return null;
  const later = frames.findIndex(({ epoch }) => epoch === null || epoch > asked);
  return later < 0 ? frames.length - 1 : Math.max(0, later - 1);
}
