// A network that learns: what `Trainer.fit` does with the same rules, examples and seed, step by
// step. It gives the same costs up to rounding, because it draws the same random numbers.

import { answered } from "./answers.js";
import { backwardAll } from "./backward.js";
import { at, forwardAll } from "./forward.js";
import { Optimiser } from "./optimiser.js";
import { Random } from "./random.js";

/**
 * Examples in columns: for each input and for each output, its numbers in all examples; and for
 * each example the index of the right answer, or their indices.
 * @typedef {{
 *   inputs: Float64Array[], wanted: Float64Array[], right: (number | number[])[], count: number,
 * }} Columns
 */

/**
 * How a network learns. `dropouts` has for each hidden layer the probability with which an output
 * is left out; null for a layer without dropout.
 * @typedef {{
 *   optimizer: string, momentum: number, lr: number, batch_size: number, seed: number | string,
 *   penalty: string, strength: number, dropouts: (number | null)[],
 * }} Rules
 */

/**
 * A network, with its cost and how its outputs are read. The numbers of its layers are parts of
 * `weights`, and may be edited.
 * @typedef {{
 *   weights: Float64Array, layers: import("./forward.js").Layer[], cost: Cost,
 *   answers: import("./answers.js").Answers,
 * }} Network
 */

/**
 * The learning rate of the first epoch, and that of the next one, after so many epochs.
 * @typedef {{first: (lr: number) => number, next: (lr: number, epochs: number) => number}} Rates
 * @type {Rates}
 */
const CONSTANT = { first: (lr) => lr, next: (lr) => lr };

/** A network, its examples, and the state of its training. */
export class Training {
  /**
   * @param {Rules} rules
   * @param {Network} network
   * @param {{train: Columns, test: Columns}} examples
   * @param {Rates} rates
   */
  constructor(rules, { weights, layers, cost, answers }, { train, test }, rates = CONSTANT) {
    this.rules = rules;
    this.rates = rates;
    this.weights = weights;
    this.layers = layers;
    this.cost = cost;
    this.answers = answers;
    this.train = train;
    this.test = test;
    this.optimiser = new Optimiser(rules, weights.length);
    this.lr = rates.first(rules.lr);
    this.epochs = 0;
    this.steps = 0;
    this.good = weights.slice(); // the last ones that had a finite cost
    /** The gradient of the last step. */
    this.gradient = new Float64Array(weights.length);
    /** Called after each epoch with its cost and the cost on the test points, as `Trainer.fit` counts. */
    this.heard = (/** @type {number} */ _cost, /** @type {number} */ _test) => {};
    this.round = this.#begin();
  }

  /** Begin an epoch: draw the order of its examples, and start its dropouts. */
  #begin() {
    const name = `${this.rules.seed}, epoch ${this.epochs}`;
    let dropout = 0;
    return {
      order: new Random(name).order(this.train.count),
      place: 0, // in this order
      shares: /** @type {number[]} */ ([]), // of the steps in the cost of the epoch
      masks: this.rules.dropouts.map((p) =>
        p === null ? null : new Random(`${name}, dropout ${dropout++}`),
      ),
    };
  }

  /**
   * Make one step on the next batch. The last step of an epoch completes the epoch.
   * @throws {RangeError} a cost, a gradient or a step is not finite; the weights are then the last
   *   ones that had a finite cost, as after `Trainer.fit`
   */
  step() {
    const { batch_size: size } = this.rules;
    const { order, place } = this.round;
    const batch = order.slice(place, place + size);
    const inputs = this.train.inputs.map((column) => chosen(column, batch));
    const wanted = this.train.wanted.map((column) => chosen(column, batch));
    const masks = this.#masksOf(batch.length);
    const passes = forwardAll(this.layers, inputs, masks);
    const { costs, gradients } = backwardAll(this.layers, passes, wanted, this.cost, masks);
    const gradient = joined(gradients);
    const cost = mean(costs) + this.#penalise(gradient);
    if (!Number.isFinite(cost)) throw this.#diverged(`the cost became ${cost}`);
    this.good.set(this.weights);
    if (!gradient.every(Number.isFinite)) throw this.#diverged("the gradient is no longer finite");
    this.optimiser.step(this.weights, gradient, this.lr);
    if (!this.optimiser.isFinite() || !this.weights.every(Number.isFinite)) {
      throw this.#diverged("the gradient is so large that no finite step can be made");
    }
    this.gradient = gradient;
    this.steps++;
    this.round.shares.push(cost * (batch.length / this.train.count));
    this.round.place += batch.length;
    if (this.round.place === this.train.count) this.#endEpoch();
  }

  /** Make the steps that are left of this epoch. */
  epoch() {
    const before = this.epochs;
    while (this.epochs === before) this.step();
  }

  #endEpoch() {
    this.epochs++;
    const cost = this.round.shares.reduce((sum, share) => sum + share, 0);
    this.heard(cost, this.judged(this.test).cost);
    this.lr = this.rates.next(this.lr, this.epochs);
    this.round = this.#begin();
  }

  /**
   * What dropout multiplies the outputs of each hidden layer by.
   * @param {number} count of examples
   */
  #masksOf(count) {
    return this.round.masks.map((rng, k) => {
      if (rng === null) return undefined;
      const p = /** @type {number} */ (this.rules.dropouts[k]);
      const mask = Array.from({ length: this.layers[k].nout }, () => new Float64Array(count));
      for (let example = 0; example < count; example++) {
        for (const column of mask) column[example] = rng.random() < p ? 0 : 1 / (1 - p);
      }
      return mask;
    });
  }

  /** Add the gradient of the penalty, and return the penalty. @param {Float64Array} gradient */
  #penalise(gradient) {
    const { penalty, strength } = this.rules;
    if (penalty === "none") return 0;
    let sum = 0;
    this.weights.forEach((w, i) => {
      sum += penalty === "l1" ? Math.abs(w) : w * w;
      gradient[i] += strength * (penalty === "l1" ? Math.sign(w) : 2 * w);
    });
    return strength * sum;
  }

  /** Restore the last good weights, and return the error. @param {string} what */
  #diverged(what) {
    this.weights.set(this.good);
    const where = `at step ${this.steps + 1}, in epoch ${this.epochs + 1}`;
    return new RangeError(`${what} ${where}. Try a learning rate below ${this.lr}.`);
  }

  /** How good the network is now on the examples of each kind. */
  scores() {
    return { train: this.judged(this.train), test: this.judged(this.test) };
  }

  /**
   * The mean cost now, without penalty and dropout, and the share of right answers. Without examples
   * the cost is NaN; the share is null then, and for numbers.
   * @param {Columns} examples
   * @returns {{cost: number, share: number | null}}
   */
  judged({ inputs, wanted, right, count }) {
    if (count === 0) return { cost: NaN, share: null };
    const passes = forwardAll(this.layers, inputs);
    const outputs = Array.from({ length: count }, (_, i) =>
      at(passes.activations[this.layers.length], i),
    );
    const costs = Float64Array.from(outputs, (a, i) => this.cost(...a, ...at(wanted, i))[0]);
    if (this.answers.kind === "numbers") return { cost: mean(costs), share: null };
    const isRight = right.filter(
      (y, i) => String(answered(this.answers, outputs[i]).said) === String(y),
    );
    return { cost: mean(costs), share: isRight.length / count };
  }

  /**
   * The gradient of one example's cost, and its forward pass.
   * @param {Columns} examples
   * @param {number} example
   */
  look({ inputs, wanted }, example) {
    const one = (/** @type {Float64Array[]} */ columns) =>
      columns.map((column) => Float64Array.of(column[example]));
    const passes = forwardAll(this.layers, one(inputs));
    return { passes, ...backwardAll(this.layers, passes, one(wanted), this.cost) };
  }
}

/** @param {Float64Array} column @param {number[]} batch */
function chosen(column, batch) {
  const found = new Float64Array(batch.length); // faster than `Float64Array.from`
  for (let k = 0; k < found.length; k++) found[k] = column[batch[k]];
  return found;
}

/** @param {import("./forward.js").Layer[]} gradients */
function joined(gradients) {
  const count = gradients.reduce((sum, { numbers }) => sum + numbers.length, 0);
  const all = new Float64Array(count);
  let start = 0;
  for (const { numbers } of gradients) {
    all.set(numbers, start);
    start += numbers.length;
  }
  return all;
}

/** @param {Float64Array} numbers */
function mean(numbers) {
  return numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
}
