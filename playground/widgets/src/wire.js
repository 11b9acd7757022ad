// Reads the wire format of playground/trace/columns.py: named columns of numbers behind a JSON header.
// It decides what is a readable packet and says in words why another is not; it knows nothing of what columns mean.

/** @typedef {Uint8Array | Uint16Array | Uint32Array | Int32Array | BigInt64Array | Float64Array} Column */
/** @typedef {{ header: Record<string, any>, columns: Record<string, Column> }} Packet */

const MAGIC = 'PLAYTRC';
const VERSION = 1;

/** @type {Record<string, { BYTES_PER_ELEMENT: number, new (buffer: ArrayBuffer): Column }>} */
const TYPES = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i4: Int32Array, i8: BigInt64Array, f8: Float64Array };

/**
 * Read what `pack` wrote in Python.
 *
 * @param {Uint8Array} data
 * @returns {Promise<Packet>} the header without its `columns`, and the columns by name
 * @throws {Error} the data is foreign, of another version, truncated or damaged
 */
export async function unpack(data) {
  const { header, body } = splitHeader(data);
  const { columns: directory, ...rest } = header;
  const raw = await inflate(body);
  /** @type {Record<string, Column>} */
  const columns = {};
  let at = 0;
  for (const [name, type, length] of directory) {
    const Numbers = TYPES[type] ?? fail(`a column type among ${Object.keys(TYPES).join(' ')}`, String(type));
    const size = Numbers.BYTES_PER_ELEMENT * length;
    if (at + size > raw.length) fail(`${at + size} bytes of columns`, String(raw.length));
    columns[name] = new Numbers(unshuffle(raw.subarray(at, at + size), Numbers.BYTES_PER_ELEMENT));
    at += size;
  }
  if (at !== raw.length) fail(`${at} bytes of columns`, String(raw.length));
  return { header: rest, columns };
}

/** @param {Uint8Array} data */
function splitHeader(data) {
  const magic = new TextDecoder('latin1').decode(data.subarray(0, 7));
  if (magic !== MAGIC) fail(`a recording that begins with ${MAGIC}`, JSON.stringify(magic));
  if (data.length < 12) fail('at least 12 bytes', String(data.length));
  if (data[7] !== VERSION) fail(`a recording of format version ${VERSION}`, `version ${data[7]}`);
  const end = 12 + new DataView(data.buffer, data.byteOffset).getUint32(8, true);
  if (end > data.length) fail(`${end} bytes up to the end of the header`, String(data.length));
  const header = JSON.parse(new TextDecoder().decode(data.subarray(12, end)));
  if (!Array.isArray(header.columns)) fail('a list of columns in the header', typeof header.columns);
  return { header, body: data.subarray(end) };
}

/** @param {Uint8Array} body one zlib stream (RFC 1950), which the browser calls "deflate" */
async function inflate(body) {
  const stream = new Blob([/** @type {BlobPart} */ (body)]).stream().pipeThrough(new DecompressionStream('deflate'));
  try {
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    return fail('a zlib stream as body', 'one that is cut short or damaged');
  }
}

/**
 * Undo the byte shuffle: byte `i` of value `j` stands at `i * length + j`.
 *
 * @param {Uint8Array} data
 * @param {number} width bytes in a value
 * @returns {ArrayBuffer}
 */
export function unshuffle(data, width) {
  const length = data.length / width;
  const values = new Uint8Array(data.length);
  for (let i = 0; i < width; i++) {
    const plane = i * length;
    for (let j = 0, to = i; j < length; j++, to += width) values[to] = data[plane + j];
  }
  return values.buffer;
}

/**
 * @param {string} expected
 * @param {string} found
 * @returns {never}
 */
function fail(expected, found) {
  throw new Error(`expected ${expected}, found ${found}: update playground, or reload the page if it was updated`);
}
