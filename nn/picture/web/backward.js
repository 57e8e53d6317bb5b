// The backward pass of the network: the gradient of a cost by every weight and bias. The derivatives
// of the activations and of the cost are generated from the engine's table of operations.

import { at, masked, weight } from "./forward.js";

/** @typedef {import("./forward.js").Layer} Layer */

/**
 * The cost of one example, and its gradient in the form of the weights.
 * @typedef {{cost: number, gradients: Layer[]}} Slopes
 */

/**
 * Run the backward pass on one example.
 * @param {Layer[]} layers
 * @param {import("./forward.js").Pass} pass
 * @param {number[]} wanted the targets of the outputs
 * @param {Cost} cost
 * @returns {Slopes}
 */
export function backward(layers, { activations, sums }, wanted, cost) {
  const passes = { activations: activations.map(columns), sums: sums.map(columns) };
  const { costs, gradients } = backwardAll(layers, passes, columns(wanted), cost);
  return { cost: costs[0], gradients };
}

/** @param {number[]} numbers of one example */
function columns(numbers) {
  return numbers.map((x) => Float64Array.of(x));
}

/**
 * Run the backward pass on many examples: the cost of each, and the gradient of their mean.
 * @param {Layer[]} layers
 * @param {import("./forward.js").Passes} passes
 * @param {Float64Array[]} wanted for each output, its target in all examples
 * @param {Cost} cost
 * @param {(Float64Array[] | undefined)[]} masks those of the forward pass
 * @returns {{costs: Float64Array, gradients: Layer[], upstream: Float64Array[][]}} the costs, the
 *   gradient, and for each layer ∂C/∂a of its neurons
 */
export function backwardAll(layers, { activations, sums }, wanted, cost, masks = []) {
  const { costs, byOutputs } = throughCost(activations[layers.length], wanted, cost);
  const upstream = [byOutputs];
  /** @type {Layer[]} */
  const gradients = [];
  for (let k = layers.length - 1; k >= 0; k--) {
    const byZ = throughActivation(layers[k].activation, sums[k], upstream[0]);
    gradients.unshift(byWeights(layers[k], byZ, activations[k]));
    if (k > 0) upstream.unshift(masked(throughWeights(layers[k], byZ), masks[k - 1]));
  }
  return { costs, gradients, upstream };
}

/**
 * The cost of each example, and ∂C/∂a of the outputs, where C is the mean cost.
 * @param {Float64Array[]} outputs
 * @param {Float64Array[]} wanted
 * @param {Cost} cost
 * @returns {{costs: Float64Array, byOutputs: Float64Array[]}}
 */
function throughCost(outputs, wanted, cost) {
  const count = outputs[0].length;
  const costs = new Float64Array(count);
  const byOutputs = outputs.map(() => new Float64Array(count));
  for (let example = 0; example < count; example++) {
    const found = cost(...at(outputs, example), ...at(wanted, example));
    costs[example] = found[0];
    byOutputs.forEach((column, j) => (column[example] = found[j + 1] / count));
  }
  return { costs, byOutputs };
}

/**
 * ∂C/∂z of a layer from ∂C/∂a.
 * @param {Activation} activation
 * @param {Float64Array[]} sums
 * @param {Float64Array[]} upstream
 */
function throughActivation({ together, back }, sums, upstream) {
  if (!together) {
    return sums.map((z, j) => z.map((sum, example) => upstream[j][example] * back(sum)[1]));
  }
  const byZ = sums.map((z) => new Float64Array(z.length));
  for (let example = 0; example < sums[0].length; example++) {
    const slopes = back(...at(sums, example), ...at(upstream, example));
    byZ.forEach((column, j) => (column[example] = slopes[j + 1]));
  }
  return byZ;
}

/** ∂C/∂w and ∂C/∂b. @param {Layer} layer @param {Float64Array[]} byZ @param {Float64Array[]} inputs */
function byWeights(layer, byZ, inputs) {
  const numbers = byZ.flatMap((slopes) => [...inputs.map((a) => dot(slopes, a)), total(slopes)]);
  return { ...layer, numbers: Float64Array.from(numbers) };
}

/** ∂C/∂a of the inputs: the sum over the neurons. @param {Layer} layer @param {Float64Array[]} byZ */
function throughWeights(layer, byZ) {
  return Array.from({ length: layer.nin }, (_, i) => {
    const found = new Float64Array(byZ[0].length);
    byZ.forEach((slopes, j) => {
      const w = weight(layer, j, i);
      for (let example = 0; example < found.length; example++)
        found[example] += w * slopes[example];
    });
    return found;
  });
}

/** @param {Float64Array} a @param {Float64Array} b */
function dot(a, b) {
  let found = 0;
  for (let i = 0; i < a.length; i++) found += a[i] * b[i];
  return found;
}

/** @param {Float64Array} a */
function total(a) {
  return a.reduce((sum, x) => sum + x, 0);
}
