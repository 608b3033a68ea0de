// What a JavaScript service makes of golden bytes, by avsc. Usage: node golden.js RELEASE…
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import avro from "avsc";

// A number of JavaScript holds whole numbers up to 2^53 only: a service that reads longs hands avsc a type like this one.
const long = avro.types.LongType.__with({
  fromBuffer: (bytes) => bytes.readBigInt64LE(),
  toBuffer(value) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value) => typeof value === "bigint",
  compare: (one, other) => (one === other ? 0 : one < other ? -1 : 1),
});

// typeHook: longs with a logical type too. wrapUnions: a value of a union stands under its branch's name, as in Avro's JSON.
const typeHook = (schema) => (schema === "long" || schema.type === "long" ? long : undefined);
const typeOf = (text) => avro.Type.forSchema(JSON.parse(text), { typeHook, wrapUnions: true });

// A number within recorded JSON, whose digits JSON.parse would round.
class Digits {
  constructor(text) {
    this.text = text;
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

function exact(json) {
  let key = "digits";
  while (json.includes(key)) key += "!";
  const marked = json.replace(TOKEN, (token) => (token[0] === '"' ? token : JSON.stringify({ [key]: token })));
  return JSON.parse(marked, (_, value) => (value?.[key] === undefined ? value : new Digits(value[key])));
}

function isNumber(value, recorded, isEqual) {
  if (!Number.isFinite(value)) return recorded === String(value);
  return recorded instanceof Digits && isEqual(Number(recorded.text));
}

// Whether a value that avsc decoded is the one that was recorded.
function same(type, value, recorded) {
  const is = avro.types;
  if (type instanceof is.RecordType) {
    const names = type.fields.map((field) => field.name);
    return (
      String(Object.keys(recorded)) === String(names) &&
      type.fields.every((field) => same(field.type, value[field.name], recorded[field.name]))
    );
  }
  if (type instanceof is.WrappedUnionType) {
    if (value === null || recorded === null) return value === recorded;
    const [name] = Object.keys(value);
    const branch = type.types.find((each) => each.branchName === name);
    return String(Object.keys(recorded)) === name && same(branch, value[name], recorded[name]);
  }
  if (type instanceof is.ArrayType) {
    return value.length === recorded.length && value.every((item, n) => same(type.itemsType, item, recorded[n]));
  }
  if (type instanceof is.MapType) {
    const keys = Object.keys(value);
    return (
      keys.length === Object.keys(recorded).length &&
      keys.every((key) => Object.hasOwn(recorded, key) && same(type.valuesType, value[key], recorded[key]))
    );
  }
  if (Buffer.isBuffer(value)) return value.toString("latin1") === recorded;
  if (typeof value === "bigint") return recorded instanceof Digits && BigInt(recorded.text) === value;
  if (type instanceof is.FloatType) return isNumber(value, recorded, (told) => Object.is(Math.fround(told), value));
  if (typeof value === "number") return isNumber(value, recorded, (told) => Object.is(told, value));
  return value === recorded;
}

// The fault of one line, or none; `told` counts.
function check(type, line, told) {
  const bytes = Buffer.from(line.hex, "hex");
  const value = type.fromBuffer(bytes);
  if (!same(type, value, exact(line.json))) return `reads ${JSON.stringify(type.toString(value))}, not ${line.json}`;
  told.read += 1;
  const again = type.toBuffer(value);
  if (again.equals(bytes)) {
    told.same_bytes += 1;
    return null;
  }
  // A map has no order: keys that look like numbers come first in an object.
  if (again.length === bytes.length && same(type, type.fromBuffer(again), exact(line.json))) {
    told.reordered += 1;
    return null;
  }
  return `writes ${again.toString("hex")}, not ${line.hex}`;
}

let faults = 0;
for (const folder of process.argv.slice(2)) {
  const { events } = JSON.parse(readFileSync(join(folder, "set.json"), "utf8"));
  const types = new Map();
  const told = { release: basename(folder), values: 0, read: 0, same_bytes: 0, reordered: 0 };
  for (const text of readFileSync(join(folder, "golden.jsonl"), "utf8").split("\n").filter(Boolean)) {
    const line = JSON.parse(text);
    if (!types.has(line.event)) types.set(line.event, typeOf(events[line.event].text));
    told.values += 1;
    let fault;
    try {
      fault = check(types.get(line.event), line, told);
    } catch (error) {
      fault = String(error);
    }
    if (fault === null) continue;
    faults += 1;
    console.error(`${told.release} ${line.event} case ${line.case}: ${fault}`);
  }
  console.log(JSON.stringify(told));
}
process.exitCode = faults ? 1 : 0;
