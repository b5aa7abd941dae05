import { parseEDNString } from "edn-data";
import { SluiceError } from "../core/errors.ts";

/** A value of EDN as plain data. Keywords and symbols are their names, without the colon. */
export type EdnValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly EdnValue[]
  | EdnMap;

/** A map of EDN whose keys are keywords or strings. */
export interface EdnMap {
  readonly [key: string]: EdnValue;
}

/**
 * Reads the first value of an EDN text, as Clojure's reader does; what follows it is not looked at.
 * Vectors, lists and sets become arrays.
 *
 * The parser behind it takes what is cut for nil and drops a key without its value, so brackets,
 * strings and pairs are checked here first.
 *
 * @throws {SluiceError} `usage` naming the line when it is not EDN, when a key stands twice, and for
 * tagged values and characters, which nothing here understands.
 */
export function parseEdn(text: string): EdnValue {
  const form = firstForm(text);
  let parsed: unknown;
  try {
    parsed = parseEDNString(form);
  } catch (thrown) {
    throw notEdn(thrown instanceof Error ? thrown.message : String(thrown), thrown);
  }
  return plain(parsed);
}

function notEdn(detail: string, cause?: unknown): SluiceError {
  return new SluiceError("read EDN", "usage", detail, { cause });
}

const closerOf: Readonly<Record<string, string>> = { "{": "}", "[": "]", "(": ")" };

/** A manifest has three. The parser calls itself for each, and is slow about it. */
const levelsMost = 100;

/** What is told apart to find where a value ends: comments, strings, characters, brackets, others. */
const tokens =
  /;[^\n]*|"(?:[^"\\]|\\[^])*"|\\(?:[a-zA-Z0-9]+|[^])|[{}()[\]"]|#_|[^\s,;"{}()[\]\\]+/g;

/** The text of the first value, its brackets seen to be whole. */
function firstForm(text: string): string {
  const open: { closer: string; at: number; items: number }[] = [];
  let start: number | undefined;
  for (const { 0: token, index } of text.matchAll(tokens)) {
    if (token.startsWith(";")) continue;
    const where = `line ${lineAt(text, index)}`;
    if (token === '"') throw notEdn(`${where}: a string does not end`);
    if (token.startsWith("\\")) throw notEdn(`${where}: a character is not understood`);
    if (token === "#_") throw notEdn(`${where}: "#_" is not understood, write a comment with ";"`);
    start ??= index;
    const inner = open.at(-1);
    const closer = closerOf[token];
    if (closer !== undefined) {
      if (open.length === levelsMost) {
        throw notEdn(`${where}: there are more than ${levelsMost} brackets in each other`);
      }
      open.push({ closer, at: index, items: 0 });
      continue;
    }
    if (/^[})\]]$/.test(token)) {
      if (inner?.closer !== token) throw notEdn(`${where}: "${token}" closes nothing`);
      if (token === "}" && inner.items % 2 === 1 && text[inner.at - 1] !== "#") {
        throw notEdn(`${where}: a key of the map has no value`);
      }
      open.pop();
    }
    const outer = open.at(-1);
    if (outer === undefined) return text.slice(start, index + token.length);
    // The "#" of a set and the tag before a value are no items of their own.
    if (!token.startsWith("#")) outer.items++;
  }
  const unclosed = open.at(-1);
  if (unclosed === undefined) throw notEdn("there is nothing in it");
  throw notEdn(
    `line ${lineAt(text, unclosed.at)}: "${text[unclosed.at]}" is not closed, the text may be cut`,
  );
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** What the parser gives, without its wrappers. */
function plain(value: unknown): EdnValue {
  if (value === null || typeof value !== "object") return value as EdnValue;
  if (Array.isArray(value)) return value.map(plain);
  if ("map" in value) return plainMap(value.map as readonly (readonly [unknown, unknown])[]);
  for (const name of ["list", "set"] as const) {
    if (name in value) return (value as Record<typeof name, unknown[]>)[name].map(plain);
  }
  for (const name of ["key", "sym"] as const) {
    if (name in value) return String((value as Record<typeof name, unknown>)[name]);
  }
  throw notEdn(
    `a tagged value is not understood: give a string, a number or a keyword`,
  );
}

function plainMap(pairs: readonly (readonly [unknown, unknown])[]): EdnMap {
  const map = new Map<string, EdnValue>();
  for (const [key, value] of pairs) {
    const name = plain(key);
    if (typeof name !== "string") throw notEdn("a key of a map is no keyword and no string");
    if (map.has(name)) throw notEdn(`:${name} stands twice`);
    map.set(name, plain(value));
  }
  return Object.fromEntries(map);
}
