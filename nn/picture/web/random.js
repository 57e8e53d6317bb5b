// Python's random numbers, so that a seed gives the same numbers in the page and in Python: the
// Mersenne Twister of the class `random.Random`.

import { sha512 } from "./sha512.js";

const SIZE = 624; // words of the state
const MIDDLE = 397;
const TWO_32 = 2 ** 32;

/** A generator of random numbers, which draws what `random.Random(seed)` draws. */
export class Random {
  #state = new Uint32Array(SIZE);
  #index = SIZE;
  /** @type {number | null} the second number of a pair that `gauss` draws */
  #kept = null;

  /** @param {number | string} seed a whole number from 0 to 2³² − 1, or a text */
  constructor(seed) {
    this.#seed(typeof seed === "string" ? wordsOf(seed) : [seed]);
  }

  /** The function init_by_array of Matsumoto and Nishimura. @param {number[]} key */
  #seed(key) {
    const state = this.#state;
    state[0] = 19650218;
    for (let i = 1; i < SIZE; i++) state[i] = Math.imul(1812433253, mixed(state[i - 1])) + i;
    let i = 1;
    const step = (/** @type {number} */ factor, /** @type {number} */ added) => {
      state[i] = (state[i] ^ Math.imul(mixed(state[i - 1]), factor)) + added;
      if (++i < SIZE) return;
      state[0] = state[SIZE - 1];
      i = 1;
    };
    for (let k = 0; k < Math.max(SIZE, key.length); k++) {
      step(1664525, key[k % key.length] + (k % key.length));
    }
    for (let k = 1; k < SIZE; k++) step(1566083941, -i);
    state[0] = 0x80000000;
  }

  /** Draw 32 bits, as a whole number. */
  #word() {
    if (this.#index === SIZE) this.#twist();
    let word = this.#state[this.#index++];
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    word ^= word >>> 18;
    return word >>> 0;
  }

  #twist() {
    const state = this.#state;
    for (let i = 0; i < SIZE; i++) {
      const word = (state[i] & 0x80000000) | (state[(i + 1) % SIZE] & 0x7fffffff);
      const odd = word & 1 ? 0x9908b0df : 0;
      state[i] = state[(i + MIDDLE) % SIZE] ^ (word >>> 1) ^ odd;
    }
    this.#index = 0;
  }

  /** A number from 0 up to, but not including, 1. */
  random() {
    const high = this.#word() >>> 5;
    const low = this.#word() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** @param {number} low @param {number} high */
  uniform(low, high) {
    return low + (high - low) * this.random();
  }

  /** A number from the normal distribution. @param {number} mean @param {number} deviation */
  gauss(mean, deviation) {
    let z = this.#kept;
    this.#kept = null;
    if (z === null) {
      const angle = this.random() * 2 * Math.PI;
      const radius = Math.sqrt(-2 * Math.log(1 - this.random()));
      z = Math.cos(angle) * radius;
      this.#kept = Math.sin(angle) * radius;
    }
    return mean + z * deviation;
  }

  /** A whole number from 0 up to, but not including, `count` ≤ 2³². @param {number} count */
  below(count) {
    const bits = 32 - Math.clz32(count);
    for (;;) {
      const drawn = this.#word() >>> (32 - bits);
      if (drawn < count) return drawn;
    }
  }

  /** The numbers 0 … count − 1 in random order: `sample(range(count), count)` in Python. @param {number} count */
  order(count) {
    const pool = Array.from({ length: count }, (_, i) => i);
    return pool.map((_, i) => {
      const j = this.below(count - i);
      const drawn = pool[j];
      pool[j] = pool[count - i - 1];
      return drawn;
    });
  }
}

/** @param {number} word */
function mixed(word) {
  return word ^ (word >>> 30);
}

/** The words by which Python seeds with a text: the text and its SHA-512, the last word first. @param {string} text */
function wordsOf(text) {
  const bytes = new TextEncoder().encode(text);
  const all = [...bytes, ...sha512(bytes)].toReversed();
  const words = Array.from({ length: Math.ceil(all.length / 4) }, (_, i) =>
    [0, 1, 2, 3].reduce((word, k) => word + (all[4 * i + k] ?? 0) * 256 ** k, 0),
  );
  while (words.length > 1 && words[words.length - 1] === 0) words.pop();
  return words.map((word) => word % TWO_32);
}
