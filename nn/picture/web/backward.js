// The backward pass of the network: the gradient of one example's cost by every weight and bias. The
// derivatives are generated from the engine's table of operations (ACTIVATIONS, COST).

import { weight } from "./forward.js";

/** @typedef {import("./forward.js").Layer} Layer */

/**
 * The cost of one example, and its gradient in the form of the weights.
 * @typedef {{cost: number, gradients: Layer[]}} Slopes
 */

/**
 * Run the backward pass on one example; null if the page knows no cost.
 * @param {Layer[]} layers
 * @param {import("./forward.js").Pass} pass
 * @param {number[]} wanted the targets of the outputs
 * @returns {Slopes | null}
 */
export function backward(layers, { activations, sums }, wanted) {
  if (COST === null) return null;
  const outputs = activations[layers.length];
  const [cost, ...slopes] = COST(...outputs, ...wanted);
  /** @type {Layer[]} */
  const gradients = [];
  let upstream = slopes.slice(0, outputs.length); // ∂C/∂a
  for (let k = layers.length - 1; k >= 0; k--) {
    const byZ = throughActivation(k, sums[k], upstream);
    gradients.unshift(byWeights(layers[k], byZ, activations[k]));
    upstream = throughWeights(layers[k], byZ);
  }
  return { cost, gradients };
}

/** ∂C/∂z of a layer from ∂C/∂a. @param {number} k @param {number[]} z @param {number[]} upstream */
function throughActivation(k, z, upstream) {
  const { together, back } = ACTIVATIONS[k];
  if (together) return back(...z, ...upstream).slice(1, z.length + 1);
  return z.map((sum, j) => upstream[j] * back(sum)[1]);
}

/** ∂C/∂w and ∂C/∂b. @param {Layer} layer @param {number[]} byZ @param {number[]} inputs */
function byWeights({ nin, nout }, byZ, inputs) {
  const numbers = byZ.flatMap((slope) => [...inputs.map((a) => slope * a), slope]);
  return { nin, nout, numbers: Float64Array.from(numbers) };
}

/** ∂C/∂a of the inputs: the sum over the neurons. @param {Layer} layer @param {number[]} byZ */
function throughWeights(layer, byZ) {
  return Array.from({ length: layer.nin }, (_, i) =>
    byZ.reduce((sum, slope, j) => sum + slope * weight(layer, j, i), 0),
  );
}
