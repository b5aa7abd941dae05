import type { JsonText } from "./json_text.ts";
import { StructuredData } from "./structured_data.ts";

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN = 91;
const BACKSLASH = 92;
const CLOSE = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** Writes structured data of RFC 5424 as `{"id":{"name":"value","repeated":["1","2"]}}`. */
export class StructuredDataJson {
  readonly #text: JsonText;
  readonly #data = new StructuredData();

  /** @param text is bound to the message's bytes and the output before each write. */
  constructor(text: JsonText) {
    this.#text = text;
  }

  /** Writes `[start, end)`, structured data of valid shape, at `at`; returns its end. */
  write(at: number, start: number, end: number): number {
    const text = this.#text;
    const data = this.#data;
    data.scan(text.bytes, start, end);
    at = text.byte(at, OPEN_BRACE);
    for (let element = 0; element < data.elementCount; element++) {
      if (element > 0) at = text.byte(at, COMMA);
      at = text.string(at, data.idStart[element] as number, data.idEnd[element] as number);
      at = text.byte(at, COLON);
      at = this.#parameters(at, element);
    }
    return text.byte(at, CLOSE_BRACE);
  }

  /** Writes an element's parameters: each name once, with all its values. */
  #parameters(at: number, element: number): number {
    const text = this.#text;
    const data = this.#data;
    const first = data.firstParameter[element] as number;
    const stop = data.firstParameter[element + 1] as number;
    at = text.byte(at, OPEN_BRACE);
    for (let parameter = first; parameter < stop; parameter++) {
      if (this.#findName(parameter, first, parameter) >= 0) continue;
      if (parameter > first) at = text.byte(at, COMMA);
      const nameStart = data.nameStart[parameter] as number;
      at = text.string(at, nameStart, data.nameEnd[parameter] as number);
      at = text.byte(at, COLON);
      let next = this.#findName(parameter, parameter + 1, stop);
      const repeated = next >= 0;
      if (repeated) at = text.byte(at, OPEN);
      at = this.#value(at, parameter);
      while (next >= 0) {
        at = this.#value(text.byte(at, COMMA), next);
        next = this.#findName(parameter, next + 1, stop);
      }
      if (repeated) at = text.byte(at, CLOSE);
    }
    return text.byte(at, CLOSE_BRACE);
  }

  /** The first parameter in `[from, stop)` named as `parameter` is, or -1. */
  #findName(parameter: number, from: number, stop: number): number {
    for (let other = from; other < stop; other++) {
      if (this.#data.sameName(this.#text.bytes, parameter, other)) return other;
    }
    return -1;
  }

  /** Writes a value without its escapes `\"`, `\\` and `\]`; other backslashes are themselves. */
  #value(at: number, parameter: number): number {
    const text = this.#text;
    const bytes = text.bytes;
    const end = this.#data.valueEnd[parameter] as number;
    let from = this.#data.valueStart[parameter] as number;
    at = text.byte(at, QUOTE);
    for (let i = from; i < end - 1; i++) {
      if (bytes[i] !== BACKSLASH) continue;
      const escaped = bytes[i + 1];
      if (escaped !== QUOTE && escaped !== BACKSLASH && escaped !== CLOSE) continue;
      at = text.text(at, from, i);
      from = ++i;
    }
    at = text.text(at, from, end);
    return text.byte(at, QUOTE);
  }
}
