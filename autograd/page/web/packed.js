// Decode arrays of numbers, which the page stores as base64.

/** The bytes of a base64 text. @param {string} text @returns {Uint8Array<ArrayBuffer>} */
export function bytes(text) {
  const characters = atob(text);
  const found = new Uint8Array(characters.length);
  for (let i = 0; i < found.length; i++) found[i] = characters.charCodeAt(i);
  return found;
}

/** The 32-bit floats of a base64 text. @param {string} text */
export function floats(text) {
  return new Float32Array(bytes(text).buffer);
}

/** The 64-bit floats of a base64 text. @param {string} text */
export function doubles(text) {
  return new Float64Array(bytes(text).buffer);
}

/** Whole numbers of 16 or 32 bits. @typedef {Uint16Array | Uint32Array} Wholes */

/** The whole numbers in a base64 text. @param {[number, string]} packed @returns {Wholes} */
export function wholes([bits, text]) {
  const { buffer } = bytes(text);
  return bits === 16 ? new Uint16Array(buffer) : new Uint32Array(buffer);
}
