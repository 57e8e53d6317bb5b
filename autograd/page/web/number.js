// Write numbers for people, exactly as `numeral` in term.py does, and read typed numbers.

/**
 * Write a number with at most `digits` significant digits, like Python's format `.4g`.
 * @param {number} x
 * @param {number} [digits]
 */
export function number(x, digits = 4) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  if (x === 0) return "0";
  const [mantissa, power] = rounded(x, digits).split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= digits) {
    const sign = exponent < 0 ? "-" : "+";
    return `${trimmed(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  return trimmed(Number(`${mantissa}e${power}`).toFixed(Math.max(0, digits - 1 - exponent)));
}

/**
 * Write `x` as d.ddde±x. A tie is rounded to the even digit, as in Python; JavaScript rounds it up.
 * @param {number} x
 * @param {number} digits
 */
function rounded(x, digits) {
  const [exact, power] = x.toExponential(100).split("e");
  const point = exact.indexOf(".");
  const last = digits === 1 ? point - 1 : point + digits - 1; // the last digit that is kept
  const tie = /^\.?50*$/.test(exact.slice(last + 1));
  if (tie && Number(exact[last]) % 2 === 0) return `${exact.slice(0, last + 1)}e${power}`;
  return x.toExponential(digits - 1);
}

/** @param {string} text */
function trimmed(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** The message for a field whose text is not a number. @param {string} text */
export function notANumber(text) {
  return `“${text}” is not a number: write it like 0.25 or -3.`;
}

/**
 * The number that a text contains, or NaN. A decimal comma is accepted.
 * @param {string} text
 */
export function parsed(text) {
  const plain = text.trim().replaceAll("−", "-");
  const isThousands = /^[-+]?\d{1,3}(,\d{3})+$/.test(plain);
  const isNumber = /^[-+]?(\d+[.,]?\d*|[.,]\d+)(e[-+]?\d+)?$/i.test(plain);
  return isNumber && !isThousands ? Number(plain.replace(",", ".")) : NaN;
}
