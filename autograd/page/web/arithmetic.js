// Read sums, products and fractions of numbers, such as 1/3 or 0.2*-0.5 + 1.

import { parsed } from "./number.js";

const TOKEN = /\s*(\d+[.,]?\d*(?:e[-+]?\d+)?|[.,]\d+(?:e[-+]?\d+)?|[-+*/()])/iy;

/** The number that a text stands for, or NaN. @param {string} text */
export function calculated(text) {
  const plain = parsed(text);
  const tokens = Number.isNaN(plain) ? tokensOf(text) : null;
  if (tokens === null) return plain;
  const found = sumOf(tokens);
  return tokens.length === 0 ? found : NaN;
}

/** The numbers and signs of a text, or null if there is anything else. @param {string} text */
function tokensOf(text) {
  const ascii = text.trim().replaceAll("−", "-").replaceAll(/[·×]/g, "*").replaceAll(":", "/");
  /** @type {string[]} */
  const tokens = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < ascii.length) {
    const found = TOKEN.exec(ascii);
    if (found === null) return null;
    tokens.push(found[1]);
  }
  return tokens;
}

// Each function takes the tokens that it reads from the front of the list.

/** @param {string[]} tokens @returns {number} */
function sumOf(tokens) {
  let total = productOf(tokens);
  while (tokens[0] === "+" || tokens[0] === "-")
    total += (tokens.shift() === "+" ? 1 : -1) * productOf(tokens);
  return total;
}

/** @param {string[]} tokens @returns {number} */
function productOf(tokens) {
  let product = factorOf(tokens);
  while (tokens[0] === "*" || tokens[0] === "/")
    product = tokens.shift() === "*" ? product * factorOf(tokens) : product / factorOf(tokens);
  return product;
}

/** @param {string[]} tokens @returns {number} */
function factorOf(tokens) {
  const token = tokens.shift();
  if (token === "-") return -factorOf(tokens);
  if (token === "+") return factorOf(tokens);
  if (token !== "(") return parsed(token ?? "");
  const inner = sumOf(tokens);
  return tokens.shift() === ")" ? inner : NaN;
}
