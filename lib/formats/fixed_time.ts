const [ZERO, NINE] = [48, 57];

/** Where each digit of `YYYY-MM-DD HH:MI:SS` comes from: the letters of a pattern, in their order. */
const elements = [["YYYY", 0], ["MM", 5], ["DD", 8], ["HH24", 11], ["HH", 11], ["MI", 14], [
  "SS",
  17,
]] as const;

/**
 * Reads dates and times whose pattern has all elements in full and in digits, without making a text of
 * each: some ten times faster than the expressions of {@linkcode readTimePattern}, which reads the rest.
 */
export class FixedTime {
  /** Of each byte of a value: where it goes, -1 for a separator. */
  readonly #places: Int8Array;
  readonly #separators: Uint8Array;
  readonly #out: Uint8Array;

  private constructor(places: number[], separators: number[], withTime: boolean) {
    this.#places = Int8Array.from(places);
    this.#separators = Uint8Array.from(separators);
    const empty = withTime ? "0000-00-00 00:00:00" : "0000-00-00";
    this.#out = new TextEncoder().encode(empty);
  }

  /** Undefined when the pattern is not of this kind. It is one that `readTimePattern` reads. */
  static of(pattern: string, withTime: boolean): FixedTime | undefined {
    const places: number[] = [];
    const separators: number[] = [];
    const rest = pattern.toUpperCase();
    for (let at = 0; at < rest.length;) {
      const element = elements.find(([name]) => rest.startsWith(name, at));
      if (element) {
        const [name, place] = element;
        const digits = name === "YYYY" ? 4 : 2;
        for (let i = 0; i < digits; i++) {
          places.push(place < 10 || withTime ? place + i : -2);
          separators.push(0);
        }
        at += name.length;
      } else {
        const byte = pattern.charCodeAt(at);
        if (/[A-Z0-9]/.test(rest.charAt(at)) && !rest.startsWith("THH", at)) return undefined;
        if (byte >= 0x80) return undefined;
        places.push(-1);
        separators.push(byte);
        at++;
      }
    }
    return new FixedTime(places, separators, withTime);
  }

  /** The value as PostgreSQL reads it, lent until the next call; undefined when it has another form. */
  read(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
    const places = this.#places;
    if (end - start !== places.length) return undefined;
    for (let i = 0; i < places.length; i++) {
      const byte = bytes[start + i] as number;
      const place = places[i] as number;
      if (place === -1) {
        if (byte !== this.#separators[i]) return undefined;
      } else {
        if (byte < ZERO || byte > NINE) return undefined;
        if (place >= 0) this.#out[place] = byte;
      }
    }
    return this.#out;
  }
}
