// The functions that operations need and JavaScript does not have. Every page has them as globals.

const ROOT_PI = Math.sqrt(Math.PI);

// Quotients of polynomials, the highest power first: erf(x) / x by x² near 0, and exp(x²)·erfc(x)
// by x from NEAR to 4. W. J. Cody, "Rational Chebyshev approximations for the error function",
// Mathematics of Computation 23 (1969).
const NEAR = 0.46875;
const ERF = [
  [
    0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302,
    3209.3775891384694,
  ],
  [1, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171],
];
const ERFC = [
  [
    2.1531153547440383e-8, 0.5641884969886701, 8.883149794388377, 66.11919063714163,
    298.6351381974001, 881.952221241769, 1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
  ],
  [
    1, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903,
    3290.7992357334597, 4362.619090143247, 3439.3676741437216, 1230.3393548037495,
  ],
];

/** The error function. @param {number} x @returns {number} */
export function erf(x) {
  if (Math.abs(x) > NEAR) return x > 0 ? 1 - erfc(x) : erfc(-x) - 1;
  return x * quotient(ERF, x * x);
}

/** 1 - erf(x), accurate in the right tail. @param {number} x @returns {number} */
export function erfc(x) {
  if (x < NEAR) return 1 - erf(x);
  if (x <= 4) return Math.exp(-x * x) * quotient(ERFC, x);
  let fraction = x; // x + (1/2) / (x + (2/2) / (x + (3/2) / (x + …)))
  for (let n = 20; n > 0; n -= 1) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / ROOT_PI / fraction;
}

/** @param {number[][]} polynomials two of one length @param {number} x */
function quotient([over, under], x) {
  let [above, below] = [over[0], under[0]];
  for (let i = 1; i < over.length; i += 1) {
    above = above * x + over[i];
    below = below * x + under[i];
  }
  return above / below;
}
