// SHA-512 (FIPS 180-4), with which Python seeds its random numbers by a text. The browser's own is
// not there in a page without a server.

const MASK = (1n << 64n) - 1n;
const PRIMES = primes(80);
const ROUNDS = PRIMES.map((p) => fraction(p, 3n));
const START = PRIMES.slice(0, 8).map((p) => fraction(p, 2n));

/** The first prime numbers. @param {number} count */
function primes(count) {
  /** @type {bigint[]} */
  const found = [];
  for (let n = 2n; found.length < count; n++) if (found.every((p) => n % p)) found.push(n);
  return found;
}

/** The first 64 bits of the fraction of a root of n. @param {bigint} n @param {bigint} degree */
function fraction(n, degree) {
  const wanted = n << (64n * degree);
  let low = 0n;
  let high = n << 64n;
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** degree <= wanted) low = middle;
    else high = middle - 1n;
  }
  return low & MASK;
}

/** @param {bigint} word @param {bigint} bits */
function turned(word, bits) {
  return ((word >> bits) | (word << (64n - bits))) & MASK;
}

/** The message in words of 64 bits: padded by a bit 1, by zeros and by its length. @param {Uint8Array} bytes */
function padded(bytes) {
  const all = new Uint8Array(128 * Math.ceil((bytes.length + 17) / 128));
  all.set(bytes);
  all[bytes.length] = 0x80;
  const view = new DataView(all.buffer);
  view.setBigUint64(all.length - 8, BigInt(bytes.length) * 8n);
  return Array.from({ length: all.length / 8 }, (_, i) => view.getBigUint64(8 * i));
}

/** The words of all rounds of a block. @param {bigint[]} block */
function schedule(block) {
  const w = [...block];
  for (let t = 16; t < 80; t++) {
    const early = turned(w[t - 15], 1n) ^ turned(w[t - 15], 8n) ^ (w[t - 15] >> 7n);
    const late = turned(w[t - 2], 19n) ^ turned(w[t - 2], 61n) ^ (w[t - 2] >> 6n);
    w.push((late + w[t - 7] + early + w[t - 16]) & MASK);
  }
  return w;
}

/** The state after a block. @param {bigint[]} state @param {bigint[]} block */
function compressed(state, block) {
  let [a, b, c, d, e, f, g, h] = state;
  schedule(block).forEach((word, t) => {
    const choice = (e & f) ^ (~e & MASK & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const first =
      h + (turned(e, 14n) ^ turned(e, 18n) ^ turned(e, 41n)) + choice + ROUNDS[t] + word;
    const second = (turned(a, 28n) ^ turned(a, 34n) ^ turned(a, 39n)) + majority;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) & MASK, c, b, a, (first + second) & MASK];
  });
  return [a, b, c, d, e, f, g, h].map((word, i) => (word + state[i]) & MASK);
}

/** The digest of a message, 64 bytes. @param {Uint8Array} bytes */
export function sha512(bytes) {
  const words = padded(bytes);
  let state = START;
  for (let i = 0; i < words.length; i += 16) state = compressed(state, words.slice(i, i + 16));
  const view = new DataView(new ArrayBuffer(64));
  state.forEach((word, i) => view.setBigUint64(8 * i, word));
  return new Uint8Array(view.buffer);
}
