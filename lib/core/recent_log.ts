import { cut } from "./cut.ts";
import { reasonOf } from "./errors.ts";
import { redactText, redactUrl, Secret } from "./secret.ts";
import type { Log, LogLevel, World } from "./world.ts";

/** A line of the log, as a page shows it. */
export interface RecentLine {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly atMs: number;
  readonly level: LogLevel;
  readonly message: string;
  /** Names and values, as text. */
  readonly fields: readonly (readonly [string, string])[];
}

const linesMost = 20;
const fieldsMost = 12;
const textMost = 500;

/** Remembers the last warnings and errors of a daemon: twenty, each cut to a bound. */
export class RecentLog {
  readonly #lines: RecentLine[] = [];
  /** Grows with each line: whoever shows them can tell whether there are new ones. */
  version = 0;

  /** The newest first. */
  get lines(): readonly RecentLine[] {
    return this.#lines;
  }

  /** The world with a log that is remembered here, too. */
  listenTo(world: World): World {
    const log: Log = (level, message, fields = {}) => {
      world.log(level, message, fields);
      if (level === "warn" || level === "error") {
        this.#take({
          atMs: world.nowMs(),
          level,
          message: cut(redactText(message), textMost),
          fields: Object.entries(fields).slice(0, fieldsMost)
            .map(([name, value]) =>
              [cut(name, textMost), cut(redactText(textOf(value)), textMost)] as const
            ),
        });
      }
    };
    const { nowMs, monotonicMs, random, sleep } = world;
    return {
      nowMs: () => nowMs.call(world),
      monotonicMs: () => monotonicMs.call(world),
      random: () => random.call(world),
      sleep: (ms, signal) => sleep.call(world, ms, signal),
      log,
    };
  }

  #take(line: RecentLine): void {
    this.#lines.unshift(line);
    this.#lines.length = Math.min(this.#lines.length, linesMost);
    this.version++;
  }
}

/** As the log writes it: secrets stay secrets. */
function textOf(value: unknown): string {
  const held = plain(value);
  if (typeof held === "string") return held;
  try {
    return JSON.stringify(held, (_, inner) => plain(inner)) ?? "";
  } catch {
    return String(value);
  }
}

function plain(value: unknown): unknown {
  if (value instanceof Secret) return value.toString();
  if (value instanceof Error) return reasonOf(value);
  return typeof value === "bigint" ? value.toString() : value;
}

/** An option's value as text for people: no secret, and no password in a URL. */
export function shownValue(value: unknown): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.map(shownValue).join(", ");
  return cut(typeof value === "string" ? redactUrl(value) : textOf(value), textMost);
}
