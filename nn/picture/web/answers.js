// Convert the outputs of a network to an answer.

/**
 * The interpretation of the outputs, as answers.py decides it. `shares` converts them to
 * probabilities; it is null if there are none.
 * @typedef {{
 *   kind: "classes" | "sides" | "labels" | "numbers", names: string[], threshold: number,
 *   shares: ((...outputs: number[]) => number[]) | null,
 * }} Answers
 */

/**
 * An answer. `said` holds the indices of the names in the answer; it is null if the outputs are
 * plain numbers or NaN. `shares` holds the probability of each name, or is empty without
 * probabilities.
 * @typedef {{said: number[] | null, shares: number[]}} Answer
 */

/**
 * The answer of the network.
 * @param {Answers} answers
 * @param {number[]} outputs
 * @returns {Answer}
 */
export function answered({ kind, threshold, shares: sharesOf }, outputs) {
  if (kind === "numbers" || outputs.some(Number.isNaN)) return { said: null, shares: [] };
  const shares = sharesOf === null ? [] : sharesOf(...outputs);
  if (kind === "classes") return { said: [outputs.indexOf(Math.max(...outputs))], shares };
  const above = outputs.flatMap((a, j) => (a > threshold ? [j] : []));
  if (kind === "labels") return { said: above, shares };
  return { said: [above.length], shares: shares.flatMap((share) => [1 - share, share]) };
}

/** An answer as text. @param {Answers} answers @param {number[]} said */
export function named({ names }, said) {
  return said.map((k) => names[k]).join(", ") || "none of them";
}

/** @param {number} share */
export function percent(share) {
  return `${(100 * share).toFixed(share > 0.9995 || share < 0.0005 ? 0 : 1)} %`;
}
