// QR codes (ISO/IEC 18004) of texts up to 213 bytes: bytes mode, error correction M, versions 1 to 10.
import { svg } from "./dom.js";

/** By version: bytes of error correction in each block, and bytes of data in each of them. */
const BLOCKS = [
  [10, [16]],
  [16, [28]],
  [26, [44]],
  [18, [32, 32]],
  [24, [43, 43]],
  [16, [27, 27, 27, 27]],
  [18, [31, 31, 31, 31]],
  [22, [38, 38, 39, 39]],
  [22, [36, 36, 36, 37, 37]],
  [26, [43, 43, 43, 43, 44]],
];
const ALIGNMENT = [
  [],
  [6, 18],
  [6, 22],
  [6, 26],
  [6, 30],
  [6, 34],
  [6, 22, 38],
  [6, 24, 42],
  [6, 26, 46],
  [6, 28, 50],
];
/** Quiet modules around it. */
const QUIET = 4;

/** The exponents and logarithms of GF(256). */
const EXP = [1];
const LOG = [];
for (let power = 0; power < 255; power++) {
  LOG[EXP[power]] = power;
  const next = EXP[power] << 1;
  EXP.push(next > 255 ? next ^ 0x11d : next);
}
const multiply = (one, other) => (one && other ? EXP[(LOG[one] + LOG[other]) % 255] : 0);

/** The remainder of `data` by the generator of `count` bytes. */
function correction(data, count) {
  let generator = [1];
  for (let root = 0; root < count; root++) {
    generator = [...generator, 0].map((term, at) => term ^ multiply(generator[at - 1] ?? 0, EXP[root]));
  }
  const rest = [...data, ...Array(count).fill(0)];
  data.forEach((_, at) => {
    const factor = rest[at];
    generator.forEach((term, offset) => (rest[at + offset] ^= multiply(term, factor)));
  });
  return rest.slice(data.length);
}

/** `text` in the blocks of the smallest version that holds it: its version, and all bytes in their order. */
function encoded(text) {
  const bytes = [...new TextEncoder().encode(text)];
  const room = ([, blocks]) => blocks.reduce((sum, size) => sum + size, 0);
  const version = BLOCKS.findIndex((block, at) => room(block) >= bytes.length + (at < 9 ? 2 : 3)) + 1;
  if (version === 0) return null;
  const [count, sizes] = BLOCKS[version - 1];
  const length = bytes.length.toString(2).padStart(version < 10 ? 8 : 16, "0");
  let bits = `0100${length}${bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("")}`;
  const capacity = room(BLOCKS[version - 1]) * 8;
  bits += "0".repeat(Math.min(4, capacity - bits.length));
  bits += "0".repeat((8 - (bits.length % 8)) % 8);
  for (let at = 0; bits.length < capacity; at++) bits += at % 2 ? "00010001" : "11101100";
  const data = bits.match(/.{8}/g).map((byte) => parseInt(byte, 2));
  let at = 0;
  const blocks = sizes.map((size) => data.slice(at, (at += size)));
  const checks = blocks.map((block) => correction(block, count));
  const interleaved = (rows) => {
    const longest = Math.max(...rows.map((row) => row.length));
    return Array.from({ length: longest }, (_, column) => rows.flatMap((row) => row[column] ?? [])).flat();
  };
  return { version, bytes: [...interleaved(blocks), ...interleaved(checks)] };
}

/** The bits of `value` with the remainder by `divisor`, which has `degree` bits after its first. */
function checked(value, divisor, degree) {
  let rest = value << degree;
  for (let bit = 31 - Math.clz32(rest); bit >= degree; bit = 31 - Math.clz32(rest))
    rest ^= divisor << (bit - degree);
  return (value << degree) | rest;
}

/** The modules that are the same for every text: rows of 1, 0, and undefined where data goes. */
function frame(version) {
  const size = version * 4 + 17;
  const rows = Array.from({ length: size }, () => Array(size));
  const square = (top, left, radius, dark) => {
    for (let y = -radius; y <= radius; y++) {
      for (let x = -radius; x <= radius; x++) {
        if (rows[top + y] && left + x >= 0 && left + x < size)
          rows[top + y][left + x] = dark(Math.max(Math.abs(x), Math.abs(y)));
      }
    }
  };
  for (let at = 0; at < size; at++) rows[6][at] = rows[at][6] = 1 - (at % 2);
  for (const [top, left] of [
    [3, 3],
    [3, size - 4],
    [size - 4, 3],
  ])
    square(top, left, 4, (ring) => Number(ring !== 2 && ring !== 4));
  const centres = ALIGNMENT[version - 1];
  const last = centres.length - 1;
  centres.forEach((top, row) =>
    centres.forEach((left, column) => {
      const corner =
        (row === 0 && column === 0) || (row === 0 && column === last) || (row === last && column === 0);
      if (!corner) square(top, left, 2, (ring) => Number(ring !== 1));
    }),
  );
  if (version >= 7) {
    const bits = checked(version, 0x1f25, 12);
    for (let bit = 0; bit < 18; bit++) {
      const [far, near] = [size - 11 + (bit % 3), Math.floor(bit / 3)];
      rows[far][near] = rows[near][far] = (bits >> bit) & 1;
    }
  }
  return rows;
}

/** Writes the mask's number, with error correction M, at both of its places. */
function format(rows, mask) {
  const size = rows.length;
  const bits = checked(mask, 0x537, 10) ^ 0x5412;
  for (let bit = 0; bit < 15; bit++) {
    const value = (bits >> bit) & 1;
    rows[bit < 6 ? bit : bit < 8 ? bit + 1 : size - 15 + bit][8] = value;
    rows[8][bit < 8 ? size - 1 - bit : bit < 9 ? 7 : 14 - bit] = value;
  }
  rows[size - 8][8] = 1;
}

const MASKS = [
  (y, x) => (y + x) % 2,
  (y) => y % 2,
  (_, x) => x % 3,
  (y, x) => (y + x) % 3,
  (y, x) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2,
  (y, x) => ((y * x) % 2) + ((y * x) % 3),
  (y, x) => (((y * x) % 2) + ((y * x) % 3)) % 2,
  (y, x) => (((y + x) % 2) + ((y * x) % 3)) % 2,
];

function drawn(version, bytes, mask) {
  const rows = frame(version);
  format(rows, mask);
  const free = rows.map((row) => Array.from(row, (module) => module === undefined));
  const size = rows.length;
  let bit = 0;
  for (let right = size - 1, upwards = true; right > 0; right -= 2, upwards = !upwards) {
    if (right === 6) right--;
    for (let step = 0; step < size; step++) {
      const y = upwards ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (!free[y][x]) continue;
        const value = ((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1;
        rows[y][x] = value ^ Number(MASKS[mask](y, x) === 0);
        bit++;
      }
    }
  }
  return rows;
}

/** How hard it is to read: runs, squares, false finders and too much of one colour. */
function penalty(rows) {
  const lines = [...rows, ...rows.map((_, x) => rows.map((row) => row[x]))].map((line) => line.join(""));
  let sum = 0;
  for (const line of lines) {
    for (const [run] of line.matchAll(/0{5,}|1{5,}/g)) sum += run.length - 2;
    for (const finder of [/(?=10111010000)/g, /(?=00001011101)/g])
      sum += 40 * [...line.matchAll(finder)].length;
  }
  for (let y = 1; y < rows.length; y++) {
    for (let x = 1; x < rows.length; x++) {
      const total = rows[y][x] + rows[y - 1][x] + rows[y][x - 1] + rows[y - 1][x - 1];
      if (total % 4 === 0) sum += 3;
    }
  }
  const dark = rows.flat().reduce((count, module) => count + module, 0) / rows.length ** 2;
  return sum + 10 * Math.floor(Math.abs(dark - 0.5) * 20);
}

/** The modules of `text`'s code, rows of 0 and 1; null if it is too long. */
export function modules(text) {
  const data = encoded(text);
  if (!data) return null;
  const drawings = MASKS.map((_, mask) => drawn(data.version, data.bytes, mask));
  const penalties = drawings.map(penalty);
  return drawings[penalties.indexOf(Math.min(...penalties))];
}

/** The code of `text` as a picture; nothing if it is too long. */
export function code(text) {
  const rows = modules(text);
  if (!rows) return "";
  const side = rows.length + 2 * QUIET;
  const dark = rows.flatMap((row, y) =>
    row.flatMap((module, x) => (module ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : [])),
  );
  return svg(
    "svg",
    { viewBox: `0 0 ${side} ${side}`, class: "qr", role: "img", "aria-label": `QR code of ${text}` },
    svg("rect", { width: side, height: side, fill: "#fff" }),
    svg("path", { d: dark.join(""), fill: "#000" }),
  );
}
