// The functions that operations need and JavaScript does not have. Every page has them as globals.

const ROOT_PI = Math.sqrt(Math.PI);

/** The error function. @param {number} x @returns {number} */
export function erf(x) {
  if (Math.abs(x) > 1.5) return x > 0 ? 1 - erfc(x) : erfc(-x) - 1;
  let term = (2 / ROOT_PI) * Math.exp(-x * x) * x;
  let sum = term;
  for (let n = 1; n < 40; n += 1) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return sum;
}

/** 1 - erf(x), accurate in the right tail. @param {number} x @returns {number} */
export function erfc(x) {
  if (x < 1.5) return 1 - erf(x);
  let fraction = x; // x + (1/2) / (x + (2/2) / (x + (3/2) / (x + …)))
  for (let n = 80; n > 0; n -= 1) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / ROOT_PI / fraction;
}
