// Points of the reader's own: read from a table, in which the pen writes as well.

import { number } from "./number.js";

/** Points, their targets and the names of the classes, as own.py makes them.
 * @typedef {{X: number[][], y: number[], names: string[]}} Own
 */

/**
 * Read a table: in each line x₁, x₂ and a class or a number, divided by commas, semicolons, tabs
 * or spaces. A first line without numbers is a heading. Two kinds of targets are two sides; up to
 * six texts, or the whole numbers from 0 on, are classes; the rest are numbers.
 * @param {string} text
 * @returns {{own: Own, kind: {title: string, targets: "sides" | "classes" | "numbers", count: number}}}
 * @throws {RangeError} a line is no point
 */
export function ownPoints(text) {
  const lines = text.split("\n").map((line, i) => ({ cells: cellsOf(line), at: i + 1 }));
  const { mostPoints, mostClasses } = PLAY;
  const rows = lines.filter(({ cells }) => cells.length > 0);
  if (rows.length > 0 && rows[0].cells.every((cell) => Number.isNaN(Number(cell)))) rows.shift();
  if (rows.length === 0 || rows.length > mostPoints) {
    throw new RangeError(`a table has from 1 to ${mostPoints} points, got ${rows.length}`);
  }
  const X = rows.map(pointOf);
  const given = rows.map(({ cells }) => cells[2]);
  const isText = given.some((target) => !Number.isFinite(Number(target)));
  const targets = isText ? given : given.map((target) => String(Number(target)));
  const kinds = [...new Set(targets)].toSorted(
    isText ? undefined : (a, b) => Number(a) - Number(b),
  );
  const count = kinds.length;
  if (isText && (count < 2 || count > mostClasses)) {
    throw new RangeError(`there are from 2 to ${mostClasses} classes, got ${count}`);
  }
  const title = "your own";
  const isCount = kinds.every((kind, k) => Number(kind) === k);
  if (count === 2 || (count > 2 && count <= mostClasses && (isText || isCount))) {
    const y = targets.map((target) => kinds.indexOf(target));
    return {
      own: { X, y, names: kinds },
      kind: { title, targets: count === 2 ? "sides" : "classes", count },
    };
  }
  return {
    own: { X, y: targets.map(Number), names: [] },
    kind: { title, targets: "numbers", count: 1 },
  };
}

/** The line of the table for a point. @param {number[]} point @param {number | string} target */
export function lineOf(point, target) {
  return [...point.map((x) => number(x, 4)), target].join(", ");
}

/** @param {string} line */
function cellsOf(line) {
  return line
    .trim()
    .split(/\s*[,;\t]\s*|\s+/)
    .filter(Boolean);
}

/** @param {{cells: string[], at: number}} row */
function pointOf({ cells, at }) {
  const point = cells.slice(0, 2).map(Number);
  if (cells.length === 3 && point.every((x) => Math.abs(x) <= 1000)) return point;
  throw new RangeError(
    `line ${at} is x₁, x₂ (from −1000 to 1000) and a class or a number, got “${cells.join(", ").slice(0, 40)}”`,
  );
}
