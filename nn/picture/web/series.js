// The costs of the epochs, thinned so that a page that learns for hours does not grow.

const MOST = 400; // points of the chart at most

/** A series of costs by epoch. */
export class Series {
  /** @type {number[]} */
  train = [];
  /** @type {(number | null)[]} */
  test = [];
  every = 1; // only every so many epochs is kept
  #epoch = 0;

  /** @param {number} cost @param {number} test NaN if there are no test points */
  add(cost, test) {
    if (this.#epoch++ % this.every !== 0) return;
    this.train.push(cost);
    this.test.push(Number.isNaN(test) ? null : test);
    if (this.train.length > MOST) this.#thin();
  }

  #thin() {
    this.every *= 2;
    this.train = this.train.filter((_, i) => i % 2 === 0);
    this.test = this.test.filter((_, i) => i % 2 === 0);
  }
}
