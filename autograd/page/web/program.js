// Run a program of array statements, which the compiler made of a traced function. The operations
// are generated from the engine's table (COMPUTE).

import { doubles, wholes } from "./packed.js";

/** @typedef {import("./packed.js").Wholes} Wholes */
/** The places in an array that an operand reads. @typedef {{array: number, places: Wholes}} Read */

/**
 * A statement. It applies the operation `each` to its operands, element by element; -1 leaves a
 * single operand as it is. If `fold` is an operation, it then folds lists of these results:
 * `starts` has the place of each list, and the end of the last. `product` is the number of right
 * lists, if each left list meets each of them, as in a product of matrices. A third operand holds a
 * further term of each list. If `choices` is not 0, the first operand holds indices, and each result
 * is the number at its index in a list of this length; `product` is then the number of lists, if
 * each index meets each of them.
 * @typedef {object} Statement
 * @property {number} each
 * @property {number} fold
 * @property {Read[]} reads
 * @property {Wholes | null} starts
 * @property {number} choices
 * @property {number} product
 * @property {number} out the array of the results
 * @property {number} start the place of the first result
 * @property {number} size
 */

/** @typedef {Float64Array | Float32Array | number[]} Numbers */

export class Program {
  /** @param {any} data what `Programs.add` in programs.py returned */
  constructor(data) {
    /** @type {number[]} the lengths of the arrays */
    this.sizes = data.sizes;
    this.constants = doubles(data.constants);
    /** @type {Statement[]} */
    this.statements = data.statements.map((/** @type {any} */ row) => ({
      ...row,
      reads: row.reads.map(readOf),
      starts: row.starts === null ? null : wholes(row.starts),
    }));
    /** @type {number} the number of outputs; those that follow are for the engine's tests */
    this.count = data.count;
    /** @type {Read[]} */
    this.outputs = data.outputs.map(readOf);
  }

  /**
   * Compute the outputs.
   * @param {Numbers[]} inputs the numbers of each argument
   * @param {Numbers} parameters
   * @returns {number[]}
   */
  run(inputs, parameters) {
    const given = [...inputs, parameters, this.constants];
    /** @type {Numbers[]} */
    const arrays = this.sizes.map((size, i) => given[i] ?? new Float64Array(size));
    for (const statement of this.statements) compute(statement, arrays);
    return this.outputs
      .flatMap(({ array, places }) => Array.from(places, (place) => arrays[array][place]))
      .slice(0, this.count);
  }
}

/** @param {[number, [number, string]]} row @returns {Read} */
function readOf([array, places]) {
  return { array, places: wholes(places) };
}

/** @param {Statement} statement @param {Numbers[]} arrays */
function compute(statement, arrays) {
  const { each, reads, starts, choices, out, start, size } = statement;
  const terms = choices ? choicesOf(statement, arrays) : termsOf(COMPUTE[each], reads, arrays);
  for (let i = 0; i < size; i++)
    arrays[out][start + i] =
      starts === null ? terms(i, i) : folded(statement, starts, terms, i, arrays);
}

/**
 * The function from the places of the operands to a term.
 * @param {(...operands: number[]) => number} operation
 * @param {Read[]} reads
 * @param {Numbers[]} arrays
 * @returns {(left: number, right: number) => number}
 */
function termsOf(operation, reads, arrays) {
  const [x, y] = reads.map(({ array }) => arrays[array]);
  const [left, right] = reads.map(({ places }) => places);
  if (!operation) return (i) => x[left[i]];
  if (reads.length === 1) return (i) => operation(x[left[i]]);
  return (i, j) => operation(x[left[i]], y[right[j]]);
}

/**
 * The function from the position of a result to the number that is chosen.
 * @param {Statement} statement
 * @param {Numbers[]} arrays
 * @returns {(i: number) => number}
 */
function choicesOf({ reads: [indices, lists], choices, product }, arrays) {
  return (i) => {
    const index = arrays[indices.array][indices.places[product ? Math.floor(i / product) : i]];
    const list = product ? i % product : i;
    return arrays[lists.array][lists.places[list * choices + index]];
  };
}

/**
 * The fold of one list of terms.
 * @param {Statement} statement
 * @param {Wholes} starts
 * @param {(left: number, right: number) => number} terms
 * @param {number} i the position of the list
 * @param {Numbers[]} arrays
 */
function folded({ fold, reads, product }, starts, terms, i, arrays) {
  const join = COMPUTE[fold];
  const list = product ? Math.floor(i / product) : i;
  const first = starts[list];
  const length = starts[list + 1] - first;
  const other = product ? (i % product) * length : first;
  let found = terms(first, other);
  for (let j = 1; j < length; j++) found = join(found, terms(first + j, other + j));
  const rest = reads[2];
  return rest ? join(found, arrays[rest.array][rest.places[i]]) : found;
}
