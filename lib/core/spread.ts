/** How values are spread: the quantiles are within 1 % of the true ones, the rest is exact. */
export interface Spread {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p75: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Full slices of a window; one more is being filled. */
const slicesOfWindow = 6;
/** Bins for each doubling of the value; a bin's middle is within 1/128 of what is in it. */
const binsPerDoublingBits = 6;
/** Values from 2^-20 (a microsecond) up to 2^20 (twelve days of seconds); what is beyond is at the end. */
const leastExponent = -20;
const doublings = 40;
const bins = doublings << binsPerDoublingBits;

const mantissaBitsInHighWord = 20;
const shift = mantissaBitsInHighWord - binsPerDoublingBits;
const firstBin = (1023 + leastExponent) << binsPerDoublingBits;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
/** Which of the two words holds the exponent. */
const highWord = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;

/**
 * The bin of a value: the leading bits of its own floating-point form are a logarithm already, with
 * {@linkcode binsPerDoublingBits} bits behind the point.
 */
function binOf(value: number): number {
  double[0] = value;
  const bin = ((words[highWord] ?? 0) >>> shift) - firstBin;
  return bin < 0 ? 0 : bin >= bins ? bins - 1 : bin;
}

/** Where a bin begins. */
function beginOf(bin: number): number {
  words[1 - highWord] = 0;
  words[highWord] = (bin + firstBin) << shift;
  return double[0] ?? 0;
}

interface Slice {
  /** Which piece of time it counts; -1 is none. */
  piece: number;
  count: number;
  sum: number;
  max: number;
  readonly bins: Uint32Array;
}

/**
 * The values of the last while, in a fixed 72 KB however many they are: counts in bins whose width
 * grows with the value, one set of bins for each piece of the window.
 *
 * A bounded sample (as the predecessors' metrics library took) would be smaller, but misses rare slow
 * ones, which p99 and max are asked for.
 */
export class RecentValues {
  readonly #slices: readonly Slice[] = Array.from({ length: slicesOfWindow + 1 }, () => ({
    ...{ piece: -1, count: 0, sum: 0, max: 0 },
    bins: new Uint32Array(bins),
  }));
  readonly #pieceMs: number;
  /** How many values there were since the start. */
  total = 0;

  /**
   * @param windowMs what {@linkcode spread} tells of at least; it is up to a sixth more.
   * @param nowMs a clock that only goes forward.
   */
  constructor(windowMs: number, private readonly nowMs: () => number) {
    this.#pieceMs = windowMs / slicesOfWindow;
  }

  /** Takes a value; below 0 or no number counts as 0. */
  add(value: number): void {
    const sound = value > 0 ? value : 0;
    const slice = this.#sliceNow();
    const bin = binOf(sound);
    slice.bins[bin] = (slice.bins[bin] ?? 0) + 1;
    slice.count++;
    slice.sum += sound;
    if (sound > slice.max) slice.max = sound;
    this.total++;
  }

  /** How the values of the window are spread; null when there are none. */
  spread(): Spread | null {
    const oldest = this.#pieceNow() - slicesOfWindow;
    const recent = this.#slices.filter(({ piece, count }) => piece >= oldest && count > 0);
    const count = recent.reduce((sum, slice) => sum + slice.count, 0);
    if (count === 0) return null;
    const max = Math.max(...recent.map((slice) => slice.max));
    const [p50 = 0, p75 = 0, p95 = 0, p99 = 0] = quantilesOf(recent, count)
      .map((value) => Math.min(value, max));
    return {
      ...{ count, p50, p75, p95, p99, max },
      mean: recent.reduce((sum, slice) => sum + slice.sum, 0) / count,
    };
  }

  #pieceNow(): number {
    return Math.floor(this.nowMs() / this.#pieceMs);
  }

  #sliceNow(): Slice {
    const piece = this.#pieceNow();
    const slice = this.#slices[piece % this.#slices.length];
    if (slice === undefined) throw new RangeError(`no slice for ${piece}: the clock is below 0`);
    if (slice.piece !== piece) {
      slice.bins.fill(0);
      Object.assign(slice, { piece, count: 0, sum: 0, max: 0 });
    }
    return slice;
  }
}

/** By nearest rank: the least value that has the wanted share of all at or below it. */
function quantilesOf(slices: readonly Slice[], count: number): number[] {
  const ranks = [0.5, 0.75, 0.95, 0.99].map((share) => Math.max(1, Math.ceil(share * count)));
  const found: number[] = [];
  let seen = 0;
  for (let bin = 0; found.length < ranks.length && bin < bins; bin++) {
    for (const slice of slices) seen += slice.bins[bin] ?? 0;
    while (found.length < ranks.length && seen >= (ranks[found.length] ?? 0)) {
      found.push((beginOf(bin) + beginOf(bin + 1)) / 2);
    }
  }
  return found;
}
