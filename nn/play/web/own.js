// Points of the reader's own: read from a table, in which the pen writes as well.

import { number, parsed } from "./number.js";

/**
 * Points with their targets, and what kind of targets they are: as own.py makes them.
 * @typedef {{own: {X: number[][], y: number[]}, kind: DataRow}} Own
 */

/** How targets are to be read; "" is as they look. @typedef {"classes" | "numbers" | ""} Reading */

/**
 * Read a table: in each line x₁, x₂ and a class or a number, divided by commas or semicolons, or
 * without these by spaces. A first line without numbers is a heading. Two kinds of targets are two
 * sides; up to six texts, or the whole numbers from 0 on, are classes; the rest are numbers.
 * @param {string} text
 * @param {Reading} [reading]
 * @returns {Own}
 * @throws {RangeError} a line is no point
 */
export function ownPoints(text, reading = "") {
  const lines = text.split("\n").map((line, i) => ({ cells: cellsOf(line), at: i + 1 }));
  const { mostPoints } = PLAY;
  const rows = lines.filter(({ cells }) => cells.length > 0);
  if (rows.length > 0 && rows[0].cells.every((cell) => Number.isNaN(numberIn(cell)))) rows.shift();
  if (rows.length === 0 || rows.length > mostPoints) {
    throw new RangeError(`a table has from 1 to ${mostPoints} points, got ${rows.length}`);
  }
  const X = rows.map(pointOf);
  const given = rows.map(({ cells }) => cells[2]);
  const names = namesOf(given, reading);
  if (names === null) {
    return {
      own: { X, y: given.map(numberIn) },
      kind: { title: "your own", targets: "numbers", count: 1 },
    };
  }
  const count = names.length;
  return {
    own: { X, y: given.map((target) => names.indexOf(nameIn(target))) },
    kind: { title: "your own", targets: count === 2 ? "sides" : "classes", count, names },
  };
}

/**
 * The names of the classes; null if the targets are numbers.
 * @param {string[]} given the targets
 * @param {Reading} reading
 */
function namesOf(given, reading) {
  const { mostClasses } = PLAY;
  const word = given.find((target) => Number.isNaN(numberIn(target)));
  const kinds = [...new Set(given.map(nameIn))].toSorted(
    word === undefined ? (a, b) => Number(a) - Number(b) : undefined,
  );
  if (reading === "numbers") {
    if (word !== undefined) throw new RangeError(`“${word}” is not a number`);
    return null;
  }
  if (word !== undefined && (kinds.length < 2 || kinds.length > mostClasses)) {
    throw new RangeError(`there are from 2 to ${mostClasses} classes, got ${kinds.length}`);
  }
  const counted = Array.from({ length: mostClasses }, (_, k) => String(k));
  if (reading === "classes" && kinds.every((kind) => counted.includes(kind))) {
    return counted.slice(0, Math.max(2, Number(kinds[kinds.length - 1]) + 1));
  }
  const isCount = kinds.length <= mostClasses && kinds.every((kind, k) => kind === counted[k]);
  const areClasses = kinds.length > 2 && (word !== undefined || isCount);
  return kinds.length === 2 || areClasses ? kinds : null;
}

/** The line of the table for a point. @param {number[]} point @param {number | string} target */
export function lineOf(point, target) {
  return [...point.map((x) => number(x, 4)), target].join(", ");
}

/**
 * The cells of a line. Semicolons divide it if there are any, and a comma is then a decimal comma;
 * else commas do; else spaces and tabs.
 * @param {string} line
 */
function cellsOf(line) {
  const text = line.trim();
  const divider = [/;/, /,/, /\s+/].find((mark) => mark.test(text)) ?? /\s+/;
  const cells = text.split(divider).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
  while (cells.length > 0 && cells[cells.length - 1] === "") cells.pop();
  return cells;
}

/** The number in a cell, or NaN. @param {string} cell */
function numberIn(cell) {
  const x = parsed(cell);
  return Number.isFinite(x) ? x : NaN;
}

/** The name of a class; 1.0 and 1 are the same class. @param {string} cell */
function nameIn(cell) {
  const x = numberIn(cell);
  return Number.isNaN(x) ? cell : String(x);
}

/** @param {{cells: string[], at: number}} row */
function pointOf({ cells, at }) {
  const point = cells.slice(0, 2).map(numberIn);
  if (cells.length === 3 && point.every((x) => Math.abs(x) <= 1000)) return point;
  throw new RangeError(
    `line ${at} is x₁, x₂ (from −1000 to 1000) and a class or a number, got “${cells.join(", ").slice(0, 40)}”`,
  );
}
