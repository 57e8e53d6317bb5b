// What the outputs of a network say.

/**
 * How outputs are read, as `answers.py` decides it.
 * @typedef {{kind: "classes" | "sides" | "labels" | "numbers", names: string[], threshold: number}} Answers
 */

/**
 * Which of the names the outputs say, or null if they are numbers or not even that; and how
 * probable each output makes its answer, where something is a probability.
 * @typedef {{said: number[] | null, shares: number[]}} Answer
 */

/** @param {Answers} answers @param {number[]} outputs @returns {Answer} */
export function answered({ kind, threshold }, outputs) {
  if (kind === "numbers" || outputs.some(Number.isNaN)) return { said: null, shares: [] };
  const shares = SHARES === null ? [] : SHARES(...outputs);
  if (kind === "classes") return { said: [outputs.indexOf(Math.max(...outputs))], shares };
  const above = outputs.flatMap((a, j) => (a > threshold ? [j] : []));
  if (kind === "labels") return { said: above, shares };
  return { said: [above.length], shares: shares.flatMap((share) => [1 - share, share]) };
}

/** The names as text. @param {Answers} answers @param {number[]} said */
export function named({ names }, said) {
  return said.map((k) => names[k]).join(", ") || "none of them";
}

/** @param {number} share */
export function percent(share) {
  return `${(100 * share).toFixed(share > 0.9995 || share < 0.0005 ? 0 : 1)} %`;
}
