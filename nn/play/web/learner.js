// A network that learns: what `Trainer.fit` does with the same settings, points and seed, step by
// step. It gives the same costs up to rounding, because it draws the same random numbers.

import { answered } from "./answers.js";
import { backwardAll } from "./backward.js";
import { at, forwardAll, layersOf } from "./forward.js";
import { featureColumns } from "./inputs.js";
import { Optimiser } from "./optimiser.js";
import { Random } from "./random.js";
import { firstRate, nextRate } from "./schedule.js";

/** @typedef {import("./forward.js").Layer} Layer */
/** @typedef {import("./points.js").Examples} Examples */
/** @typedef {import("./settings.js").Settings} Settings */

/**
 * Examples in columns: for each input and for each output, its numbers in all examples.
 * @typedef {{inputs: Float64Array[], wanted: Float64Array[], right: number[], count: number}} Columns
 */

/**
 * A network: the number of inputs and of neurons in each layer, and the activation of each layer.
 * @typedef {{sizes: number[], activations: string[]}} Shape
 */

/**
 * The network that the settings describe. Its inputs are the features of a point in the plane; of a
 * point elsewhere they are its numbers.
 * @param {Settings} settings
 * @param {number} axes the numbers of a point
 * @returns {Shape}
 */
export function shapeOf({ data, inputs, layers, activation }, axes) {
  const { targets, count } = PLAY.data[data];
  return {
    sizes: [axes === 2 ? inputs.length : axes, ...layers, targets === "classes" ? count : 1],
    activations: [...layers.map(() => activation), "identity"],
  };
}

/**
 * The first weights of a network, as `nn.MLP(..., init=, seed=)` draws them.
 * @param {Shape} shape
 * @param {string} init
 * @param {number} seed
 */
export function firstWeights({ sizes, activations }, init, seed) {
  const rng = new Random(seed);
  return Float64Array.from(
    activations.flatMap((activation, k) => {
      const [nin, nout] = [sizes[k], sizes[k + 1]];
      const initialiser = init === "auto" ? PLAY.inits[activation] : init;
      return Array.from({ length: nout }, () => [
        ...Array.from({ length: nin }, () => drawn(rng, initialiser, nin, nout)),
        0,
      ]).flat();
    }),
  );
}

/** @param {Random} rng @param {string} init @param {number} nin @param {number} nout */
function drawn(rng, init, nin, nout) {
  const bound = Math.sqrt(6 / (nin + nout));
  if (init === "xavier") return rng.uniform(-bound, bound);
  if (init === "he") return rng.gauss(0, Math.sqrt(2 / nin));
  return init === "equal" ? 0.5 : rng.uniform(-1, 1);
}

/** A network, its data, and the state of its training. */
export class Learner {
  /**
   * @param {Settings} settings
   * @param {{train: Examples, test: Examples}} split
   * @param {{shape: Shape, weights: Float64Array} | null} start a network to start from; null for
   *   the network that the settings describe
   */
  constructor(settings, { train, test }, start = null) {
    this.settings = settings;
    this.answers = answersOf(settings);
    this.axes = train.X[0].length; // the numbers of a point
    this.shape = start?.shape ?? shapeOf(settings, this.axes);
    this.weights = start?.weights ?? firstWeights(this.shape, settings.init, settings.seed);
    const { sizes, activations } = this.shape;
    const rows = activations.map((name) => FORMULAS.activations[name]);
    /** @type {Layer[]} parts of the weights, which may be edited */
    this.layers = layersOf(sizes, this.weights, rows);
    this.cost = FORMULAS.costs[settings.cost][sizes[sizes.length - 1]];
    this.train = this.columns(train);
    this.test = this.columns(test);
    this.optimiser = new Optimiser(settings, this.weights.length);
    this.lr = firstRate(settings.schedule, settings.lr);
    this.epochs = 0;
    this.steps = 0;
    this.good = this.weights.slice(); // the last ones that had a finite cost
    /** The gradient of the last step. */
    this.gradient = new Float64Array(this.weights.length);
    /** Called after each epoch with its cost and the cost on the test points, as `Trainer.fit` counts. */
    this.heard = (/** @type {number} */ _cost, /** @type {number} */ _test) => {};
    this.round = this.#begin();
  }

  /** Arrange examples in columns. @param {Examples} examples @returns {Columns} */
  columns({ X, y }) {
    const { sizes } = this.shape;
    const axes = Array.from({ length: this.axes }, (_, i) =>
      Float64Array.from(X, (point) => point[i]),
    );
    const isPlane = this.settings.inputs.length === sizes[0] && axes.length === 2;
    return {
      inputs: isPlane ? featureColumns(this.settings.inputs, axes[0], axes[1]) : axes,
      wanted: wantedOutputs(this.settings, sizes[sizes.length - 1], y),
      right: y,
      count: X.length,
    };
  }

  /** Begin an epoch: draw the order of its examples, and start its dropout. */
  #begin() {
    const name = `${this.settings.seed}, epoch ${this.epochs}`;
    const { dropout } = this.settings;
    const hidden = this.shape.sizes.slice(1, -1);
    return {
      order: new Random(name).order(this.train.count),
      place: 0, // in this order
      shares: /** @type {number[]} */ ([]), // of the steps in the cost of the epoch
      masks: dropout ? hidden.map((_, k) => new Random(`${name}, dropout ${k}`)) : [],
    };
  }

  /**
   * Make one step on the next batch. The last step of an epoch completes the epoch.
   * @throws {RangeError} a cost, a gradient or a step is not finite; the weights are then the last
   *   ones that had a finite cost, as after `Trainer.fit`
   */
  step() {
    const { batch_size: size } = this.settings;
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
    this.heard(cost, this.#costOf(this.test));
    this.lr = nextRate(this.settings.schedule, this.lr, this.epochs);
    this.round = this.#begin();
  }

  /** What dropout multiplies the outputs of each hidden layer by. @param {number} count of examples */
  #masksOf(count) {
    const { dropout } = this.settings;
    return this.round.masks.map((rng, k) => {
      const mask = Array.from({ length: this.layers[k].nout }, () => new Float64Array(count));
      for (let example = 0; example < count; example++) {
        for (const column of mask) column[example] = rng.random() < dropout ? 0 : 1 / (1 - dropout);
      }
      return mask;
    });
  }

  /** Add the gradient of the penalty, and return the penalty. @param {Float64Array} gradient */
  #penalise(gradient) {
    const { penalty, strength } = this.settings;
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

  /** @param {Columns} examples */
  #costOf({ inputs, wanted, count }) {
    if (count === 0) return NaN;
    const { activations } = forwardAll(this.layers, inputs);
    const outputs = activations[this.layers.length];
    const costs = Float64Array.from(
      { length: count },
      (_, example) => this.cost(...at(outputs, example), ...at(wanted, example))[0],
    );
    return mean(costs);
  }

  /** The mean costs now, without penalty and dropout; NaN without examples. */
  losses() {
    return { train: this.#costOf(this.train), test: this.#costOf(this.test) };
  }

  /** The shares of right answers now; null for numbers, or without examples. */
  accuracy() {
    return { train: this.#accuracyOf(this.train), test: this.#accuracyOf(this.test) };
  }

  /** @param {Columns} examples */
  #accuracyOf({ inputs, right, count }) {
    if (count === 0 || this.answers.kind === "numbers") return null;
    const { activations } = forwardAll(this.layers, inputs);
    const outputs = activations[this.layers.length];
    const isRight = right.filter((y, i) => answered(this.answers, at(outputs, i)).said?.[0] === y);
    return isRight.length / count;
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

/** How outputs are read as answers. @param {Settings} settings @returns {import("./answers.js").Answers} */
function answersOf({ data, cost }) {
  const { targets, count } = PLAY.data[data];
  const shares = FORMULAS.shares[cost]?.[targets === "classes" ? count : 1] ?? null;
  if (targets === "numbers") return { kind: "numbers", names: [], threshold: 0, shares };
  const names = Array.from({ length: count }, (_, k) => String(k));
  const kind = targets === "sides" ? "sides" : "classes";
  return { kind, names, threshold: PLAY.sides[cost]?.threshold ?? 0, shares };
}

/** The targets of each output. @param {Settings} settings @param {number} nout @param {number[]} y */
function wantedOutputs({ data, cost }, nout, y) {
  if (PLAY.data[data].targets === "classes") {
    return Array.from({ length: nout }, (_, k) => Float64Array.from(y, (t) => Number(t === k)));
  }
  if (PLAY.data[data].targets === "numbers") return [Float64Array.from(y)];
  return [Float64Array.from(y, (t) => PLAY.sides[cost].targets[t])];
}

/** @param {Float64Array} column @param {number[]} batch */
function chosen(column, batch) {
  return Float64Array.from(batch, (i) => column[i]);
}

/** @param {Layer[]} gradients */
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
