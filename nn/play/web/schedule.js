// The learning rate by epoch: that of the schedules of `nn`.

const SMALLEST = 1e-30; // a learning rate cannot be zero

/** @type {Record<string, (t: number, given: Record<string, number>) => number>} */
const FACTORS = {
  "": () => 1,
  StepLR: (t, { step_size, gamma }) => gamma ** Math.floor(t / step_size),
  ExponentialLR: (t, { gamma }) => gamma ** t,
  CosineAnnealingLR: (t, { T_max }) => (1 + Math.cos((Math.PI * t) / T_max)) / 2,
  LinearLR: (t, { start_factor, end_factor, total_iters }) =>
    start_factor + (end_factor - start_factor) * Math.min(t / total_iters, 1),
};

/** The factor of the first learning rate after t epochs. @param {string} schedule @param {number} t */
function factor(schedule, t) {
  const { kind, arguments: given } = PLAY.schedules[schedule];
  return Math.max(FACTORS[kind](t, given), SMALLEST);
}

/** The learning rates of a schedule. @param {string} schedule @returns {import("./training.js").Rates} */
export function ratesOf(schedule) {
  return {
    first: (lr) => lr * factor(schedule, 0),
    next: (lr, epochs) => (lr * factor(schedule, epochs)) / factor(schedule, epochs - 1),
  };
}
