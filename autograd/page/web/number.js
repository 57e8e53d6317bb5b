// Numbers as the engine writes them for a person.

/**
 * At most `digits` significant digits, as Python's `.4g` has them.
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
 * `x` as d.ddde±x; a tie goes to the even digit, as in Python, and not up, as in JavaScript.
 * @param {number} x
 * @param {number} digits
 */
function rounded(x, digits) {
  const [exact, power] = x.toExponential(100).split("e");
  const kept = exact.indexOf(".") + digits;
  const tie = /^50*$/.test(exact.slice(kept));
  if (tie && Number(exact[kept - 1]) % 2 === 0) return `${exact.slice(0, kept)}e${power}`;
  return x.toExponential(digits - 1);
}

/** @param {string} text */
function trimmed(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** What is said of a field that holds no number. @param {string} text */
export function notANumber(text) {
  return `“${text}” is not a number: write one like 0.25 or -3.`;
}

/**
 * The number in a field, if there is one.
 * @param {string} text
 */
export function parsed(text) {
  const plain = text.trim().replaceAll("−", "-");
  const isThousands = /^[-+]?\d{1,3}(,\d{3})+$/.test(plain);
  const isNumber = /^[-+]?(\d+[.,]?\d*|[.,]\d+)(e[-+]?\d+)?$/i.test(plain);
  return isNumber && !isThousands ? Number(plain.replace(",", ".")) : NaN;
}
