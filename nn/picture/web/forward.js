// The forward pass of the network: each layer computes f(W x + b). The activations f are generated
// from the engine's table of operations.

/**
 * The weights of a layer, or their gradients: for each neuron its weights, then its bias.
 * @typedef {{
 *   nin: number, nout: number, activation: Activation, numbers: Float32Array | Float64Array,
 * }} Layer
 */

/**
 * The result of a forward pass: the inputs and the activations of each layer (`activations`), and
 * the weighted sums of each layer (`sums`). `Passes` holds those of many examples in columns.
 * @typedef {{activations: number[][], sums: number[][]}} Pass
 * @typedef {{activations: Float64Array[][], sums: Float64Array[][]}} Passes
 */

/**
 * Divide the numbers of a network among its layers.
 * @param {number[]} sizes the number of inputs, then of neurons in each layer
 * @param {Float32Array | Float64Array} numbers the weights and biases of all layers, and more
 * @param {Activation[]} activations of each layer
 * @returns {Layer[]}
 */
export function layersOf(sizes, numbers, activations) {
  let start = 0;
  return sizes.slice(1).map((nout, k) => {
    const length = nout * (sizes[k] + 1);
    const part = numbers.subarray(start, start + length);
    start += length;
    return { nin: sizes[k], nout, activation: activations[k], numbers: part };
  });
}

/** @param {Layer} layer @param {number} neuron @param {number} input */
export function weight(layer, neuron, input) {
  return layer.numbers[neuron * (layer.nin + 1) + input];
}

/** @param {Layer} layer @param {number} neuron */
export function bias(layer, neuron) {
  return weight(layer, neuron, layer.nin);
}

/** @param {Layer} layer @param {number} neuron */
export function weightsInto(layer, neuron) {
  const start = neuron * (layer.nin + 1);
  return layer.numbers.subarray(start, start + layer.nin);
}

/**
 * Run the network on one example.
 * @param {Layer[]} layers
 * @param {number[]} input
 * @returns {Pass}
 */
export function forward(layers, input) {
  const { activations, sums } = forwardAll(
    layers,
    input.map((x) => Float64Array.of(x)),
  );
  return {
    activations: activations.map((column) => at(column, 0)),
    sums: sums.map((column) => at(column, 0)),
  };
}

/**
 * Run the network on many examples.
 * @param {Layer[]} layers
 * @param {Float64Array[]} inputs for each input, its numbers in all examples
 * @param {(Float64Array[] | undefined)[]} masks for the first layers, what their activations are multiplied by
 * @returns {Passes}
 */
export function forwardAll(layers, inputs, masks = []) {
  const activations = [inputs];
  const sums = layers.map((layer, k) => {
    const z = weightedSums(layer, activations[k]);
    activations.push(masked(activated(layer.activation, z), masks[k]));
    return z;
  });
  return { activations, sums };
}

/** @param {Float64Array[]} columns @param {Float64Array[] | undefined} mask */
export function masked(columns, mask) {
  if (mask === undefined) return columns;
  return columns.map((column, j) => column.map((x, example) => x * mask[j][example]));
}

/** @param {Layer} layer @param {Float64Array[]} inputs */
function weightedSums(layer, inputs) {
  return Array.from({ length: layer.nout }, (_, j) => {
    const z = new Float64Array(inputs[0].length).fill(bias(layer, j));
    inputs.forEach((x, i) => {
      const w = weight(layer, j, i);
      for (let example = 0; example < z.length; example++) z[example] += w * x[example];
    });
    return z;
  });
}

/** @param {Activation} activation @param {Float64Array[]} sums */
function activated({ each, together }, sums) {
  if (each) return sums.map((z) => z.map(each));
  const made = sums.map((z) => new Float64Array(z.length));
  for (let example = 0; example < sums[0].length; example++) {
    together(...at(sums, example)).forEach((a, j) => (made[j][example] = a));
  }
  return made;
}

/** The numbers of one example. @param {Float64Array[]} column @param {number} example */
export function at(column, example) {
  return column.map((x) => x[example]);
}
