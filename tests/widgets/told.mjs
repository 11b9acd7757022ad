// Reads a packet of the timeline and prints what its panel tells of each span, for told.py:
// [[group, lane, index, [[term, ...parts]]]], where a part that leads to a span is [words, group, lane, index].

import { readFileSync } from 'node:fs';
import { timeline } from './helpers.mjs';

const { Details, Recording, tell, unpack } = timeline;
const recording = new Recording(await unpack(new Uint8Array(readFileSync(process.argv[2]))));
const details = new Details(recording, recording.told);
const place = ({ row, index }) => [row.group, row.lane, index];
const told = recording.rows.flatMap((row) => Array.from(row.start, (_, index) => {
  const entries = tell(details, { row, index }).map(([term, ...parts]) => [term, ...parts.map((part) => (typeof part === 'string' ? part : [part.words, ...place(part.span)]))]);
  return [...place({ row, index }), entries];
}));
process.stdout.write(JSON.stringify({ told, messages: details.requests.map(({ messages }) => messages) }));
