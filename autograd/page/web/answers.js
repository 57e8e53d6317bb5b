// What the outputs of a network mean.

/**
 * How outputs are read, as `answers.py` writes it.
 * @typedef {{kind: "classes" | "sides" | "numbers", names: string[], threshold: number}} Answers
 */

/**
 * An answer: which of the names (-1 for none), and how sure the network is of each of them.
 * @typedef {{best: number, shares: number[]}} Answer
 */

/** @param {Answers} answers @param {number[]} outputs @returns {Answer} */
export function answered(answers, outputs) {
  if (SHARES === null || outputs.some(Number.isNaN)) return { best: -1, shares: [] };
  const shares = SHARES(...outputs);
  if (answers.kind === "sides") {
    return { best: Number(outputs[0] > answers.threshold), shares: [1 - shares[0], shares[0]] };
  }
  return { best: outputs.indexOf(Math.max(...outputs)), shares };
}

/** @param {number} share */
export function percent(share) {
  return `${(100 * share).toFixed(share > 0.9995 || share < 0.0005 ? 0 : 1)} %`;
}
