// Gradient descent, its momentum, and Adam: the steps that `nn.SGD` and `nn.Adam` make.

const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

/** An optimiser of all weights, with its memory. */
export class Optimiser {
  /** @param {{optimizer: string, momentum: number}} settings @param {number} count of the weights */
  constructor({ optimizer, momentum }, count) {
    this.kind = optimizer;
    this.momentum = optimizer === "momentum" ? momentum : 0;
    this.steps = 0;
    this.first = new Float64Array(count); // the velocity, or the mean of the gradients
    this.second = new Float64Array(count); // the mean of their squares
  }

  /**
   * Move the weights once against their gradient.
   * @param {Float64Array} weights
   * @param {Float64Array} gradient
   * @param {number} lr
   */
  step(weights, gradient, lr) {
    this.steps++;
    if (this.kind === "adam") this.#adam(weights, gradient, lr);
    else this.#descend(weights, gradient, lr);
  }

  /** True if the memory of all steps so far is finite. */
  isFinite() {
    return this.first.every(Number.isFinite) && this.second.every(Number.isFinite);
  }

  /** @param {Float64Array} weights @param {Float64Array} gradient @param {number} lr */
  #descend(weights, gradient, lr) {
    gradient.forEach((slope, i) => {
      this.first[i] = this.momentum * this.first[i] + slope;
      weights[i] -= lr * this.first[i];
    });
  }

  /** @param {Float64Array} weights @param {Float64Array} gradient @param {number} lr */
  #adam(weights, gradient, lr) {
    const [m, v] = [this.first, this.second];
    const [unbias1, unbias2] = [1 - BETA1 ** this.steps, 1 - BETA2 ** this.steps];
    gradient.forEach((slope, i) => {
      m[i] = BETA1 * m[i] + (1 - BETA1) * slope;
      v[i] = BETA2 * v[i] + (1 - BETA2) * slope * slope;
      weights[i] -= (lr * (m[i] / unbias1)) / (Math.sqrt(v[i] / unbias2) + EPSILON);
    });
  }
}
