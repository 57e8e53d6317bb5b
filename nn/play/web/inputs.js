// The inputs of the network: features of a point in the plane.

/** @type {Record<string, (x1: number, x2: number) => number>} */
const FEATURES = {
  x1: (x1) => x1,
  x2: (_, x2) => x2,
  "x1^2": (x1) => x1 * x1,
  "x2^2": (_, x2) => x2 * x2,
  "x1*x2": (x1, x2) => x1 * x2,
  "sin(x1)": (x1) => Math.sin(x1),
  "sin(x2)": (_, x2) => Math.sin(x2),
};

/**
 * The inputs for many points: for each input, its numbers at all points.
 * @param {string[]} inputs
 * @param {ArrayLike<number>} x1
 * @param {ArrayLike<number>} x2
 */
export function featureColumns(inputs, x1, x2) {
  return inputs.map((name) => Float64Array.from(x1, (x, i) => FEATURES[name](x, x2[i])));
}
