// Scale and centre a drawing, so that it looks like the images the network was trained on.

/**
 * The drawing as an image: scaled to the size of the training images, with its centre of mass in
 * the middle.
 *
 * Source of the procedure: LeCun, Cortes and Burges, "The MNIST database of handwritten digits":
 * size normalised to fit a box of 20 × 20 pixels, then centred by the centre of mass in 28 × 28.
 * @param {Uint8ClampedArray | number[]} ink 0 to 255, row by row
 * @param {number} width the width of the drawing
 * @param {[number, number]} shape rows and columns of the image
 * @param {number} filled the longer side of the scaled drawing, in pixels of the image
 * @returns {number[] | null} pixels from 0 to 255; null if nothing was drawn
 */
export function centred(ink, width, [rows, columns], filled) {
  const drawn = extent(ink, width);
  if (drawn === null) return null;
  const { left, right, top, bottom } = drawn;
  // pixels of the drawing per pixel of the image
  const size = Math.max(right - left, bottom - top) / filled;
  const x = start(drawn.x, left, right, columns * size);
  const y = start(drawn.y, top, bottom, rows * size);
  return Array.from({ length: rows * columns }, (_, i) => {
    const column = x + (i % columns) * size;
    const row = y + Math.floor(i / columns) * size;
    return Math.round(mean(ink, width, column, row, size));
  });
}

/**
 * The start of the image along one axis: the centre of mass is in the middle, unless this would cut
 * off a part of the drawing.
 * @param {number} middle the centre of mass
 * @param {number} first the first position with ink
 * @param {number} last the position after the last one with ink
 * @param {number} length the length of the image
 */
function start(middle, first, last, length) {
  return Math.max(last - length, Math.min(first, middle - length / 2));
}

/**
 * The bounding box of the ink, and its centre of mass.
 * @param {ArrayLike<number>} ink
 * @param {number} width
 */
function extent(ink, width) {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  let [mass, across, down] = [0, 0, 0];
  for (let i = 0; i < ink.length; i++) {
    if (ink[i] === 0) continue;
    const column = i % width;
    const row = Math.floor(i / width);
    [left, right] = [Math.min(left, column), Math.max(right, column + 1)];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row + 1)];
    mass += ink[i];
    across += ink[i] * (column + 0.5);
    down += ink[i] * (row + 0.5);
  }
  return mass === 0 ? null : { left, right, top, bottom, x: across / mass, y: down / mass };
}

/**
 * The mean ink in a square; outside the drawing there is none.
 * @param {ArrayLike<number>} ink
 * @param {number} width
 * @param {number} left
 * @param {number} top
 * @param {number} size
 */
function mean(ink, width, left, top, size) {
  const height = ink.length / width;
  let sum = 0;
  for (let row = Math.max(0, Math.floor(top)); row < Math.min(height, top + size); row++) {
    const high = Math.min(row + 1, top + size) - Math.max(row, top);
    for (
      let column = Math.max(0, Math.floor(left));
      column < Math.min(width, left + size);
      column++
    ) {
      const wide = Math.min(column + 1, left + size) - Math.max(column, left);
      sum += ink[row * width + column] * wide * high;
    }
  }
  return sum / size ** 2;
}
