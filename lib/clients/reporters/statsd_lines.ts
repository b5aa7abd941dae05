import { aspectsOf, type Entry, type Report } from "./report.ts";

/** How metrics are written for statsd. */
export interface StatsdForm {
  /** Before each name: "sluice.". */
  readonly prefix: string;
  /** DogStatsD knows tags; plain statsd gets the values of labels as parts of the name. */
  readonly withTags: boolean;
  /** Tags of everything, as given: `production` or `team=data`. DogStatsD only. */
  readonly tags: readonly string[];
}

/**
 * The lines of a report: counters as what they have grown by (`c`), which statsd adds up and makes
 * rates of, everything else as a gauge (`g`).
 */
export function* linesOf({ entries }: Report, form: StatsdForm): Generator<string> {
  for (const entry of entries) {
    const { name, tags } = namedAs(entry, form);
    if (entry.kind === "gauge") {
      yield* gaugeLines(name, entry.value, tags, form);
      continue;
    }
    const counted = entry.kind === "timer" ? `${name}.count` : name;
    if (entry.grown > 0) yield `${counted}:${plain(entry.grown)}|c${tags}`;
    for (const [aspect, value] of aspectsOf(entry)) {
      yield* gaugeLines(`${name}.${aspect}`, value, tags, form);
    }
  }
}

function* gaugeLines(
  name: string,
  value: number,
  tags: string,
  { withTags }: StatsdForm,
): Generator<string> {
  if (!Number.isFinite(value)) return;
  // A sign means "so much less" to plain statsd: from 0 that is the value itself.
  if (value < 0 && !withTags) yield `${name}:0|g`;
  yield `${name}:${plain(value)}|g${tags}`;
}

function namedAs(
  { name, labels }: Entry,
  { prefix, withTags, tags }: StatsdForm,
): { readonly name: string; readonly tags: string } {
  if (!withTags) {
    const parts = Object.values(labels).map((value) => part(value));
    return { name: [word(prefix + name), ...parts].join("."), tags: "" };
  }
  const all = [
    ...tags.map((tag) => tagWord(tag.replace("=", ":"))),
    ...Object.entries(labels).map(([key, value]) => `${key}:${tagWord(value)}`),
  ];
  return { name: word(prefix + name), tags: all.length === 0 ? "" : `|#${all.join(",")}` };
}

/** Only what every statsd takes in a name. */
function word(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]/g, "_");
}

/** A part of a name: a point would make two of it. */
function part(text: string): string {
  return word(text).replaceAll(".", "_") || "_";
}

/** Commas, bars and line ends would end the tag. */
function tagWord(text: string): string {
  return text.replace(/[\s,|#@\p{Cc}]/gu, "_");
}

/** A number without an exponent, which not every statsd reads. */
function plain(value: number): string {
  const text = String(value);
  if (!text.includes("e")) return text;
  return Math.abs(value) < 1 ? value.toFixed(12) : BigInt(value).toString();
}
