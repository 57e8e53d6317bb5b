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

/**
 * The learning rate of the first epoch.
 * @param {string} schedule
 * @param {number} lr
 */
export function firstRate(schedule, lr) {
  return lr * factor(schedule, 0);
}

/**
 * The learning rate of the next epoch.
 * @param {string} schedule
 * @param {number} lr the learning rate of the epoch that has ended
 * @param {number} epochs that are done, this one included
 */
export function nextRate(schedule, lr, epochs) {
  return (lr * factor(schedule, epochs)) / factor(schedule, epochs - 1);
}
