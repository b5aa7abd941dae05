import { configureSync, getLogger, type LogRecord, resetSync } from "@logtape/logtape";
import { reasonOf } from "../core/errors.ts";
import { redactText, Secret } from "../core/secret.ts";
import { visible, visibleLines } from "../core/visible.ts";
import type { Log, LogLevel } from "../core/world.ts";

/** An open log. */
export interface OpenLog {
  readonly log: Log;
  close(): void;
}

const encoder = new TextEncoder();

/** logtape's name of each of our levels, and the other way round. */
const nameOf = { debug: "debug", info: "info", warn: "warning", error: "error" } as const;

/**
 * Opens the log on stderr: lines for people on a terminal, JSON lines otherwise (or as told). Lines
 * are written at once, so that the last one before an exit is there.
 */
export function openLog(
  { level, format }: { readonly level: LogLevel; readonly format: "auto" | "text" | "json" },
): OpenLog {
  const asText = format === "text" || (format === "auto" && Deno.stderr.isTerminal());
  const write = asText ? textLine : jsonLine;
  configureSync({
    reset: true,
    sinks: { stderr: (record) => writeAll(encoder.encode(write(record, level === "debug"))) },
    loggers: [
      { category: "sluice", lowestLevel: nameOf[level], sinks: ["stderr"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stderr"] },
    ],
  });
  const logger = getLogger("sluice");
  return {
    // Not by the logger's own methods: they take braces in a message for placeholders.
    log: (severity, message, fields = {}) =>
      logger.emit({
        level: nameOf[severity],
        timestamp: Date.now(),
        message: [message],
        rawMessage: message,
        properties: { ...fields },
      }),
    close: () => resetSync(),
  };
}

function writeAll(bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
  } catch {
    // Nobody reads our log any more: no reason to stop the work.
  }
}

function levelOf(record: LogRecord): string {
  return record.level === "warning" ? "warn" : record.level;
}

function messageOf(record: LogRecord): string {
  return redactText(record.message.map(String).join(""));
}

function textLine(record: LogRecord, withStack: boolean): string {
  const fields = Object.entries(record.properties)
    .map(([name, value]) => ` ${name}=${textOf(value, withStack)}`);
  const time = new Date(record.timestamp).toISOString();
  const message = visible(messageOf(record));
  return `${time} ${levelOf(record).padEnd(5)} ${message}${fields.join("")}\n`;
}

function textOf(value: unknown, withStack: boolean): string {
  const held = plain(value, withStack);
  const text = typeof held === "string" ? held : jsonOf(held, withStack);
  return visible(/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text));
}

function jsonLine(record: LogRecord, withStack: boolean): string {
  const own = {
    time: new Date(record.timestamp).toISOString(),
    level: levelOf(record),
    message: messageOf(record),
  };
  // A field cannot take the place of the line's own parts.
  return `${visibleLines(jsonOf({ ...own, ...record.properties, ...own }, withStack))}\n`;
}

function jsonOf(value: unknown, withStack: boolean): string {
  try {
    return JSON.stringify(value, (_, inner) => plain(inner, withStack)) ?? "null";
  } catch {
    // It holds itself: the fields cannot be told, but the line must be.
    const shallow = Object.entries(value as object).map(([name, one]) => [name, `${one}`]);
    return JSON.stringify(Object.fromEntries(shallow));
  }
}

/** What JSON can hold of a value; an error is its reason, and its stack only for those who debug. */
function plain(value: unknown, withStack: boolean): unknown {
  if (typeof value === "string") return redactText(value);
  if (value instanceof Error) {
    return redactText(withStack ? value.stack ?? reasonOf(value) : reasonOf(value));
  }
  if (value instanceof Secret) return value.toString();
  if (typeof value === "bigint") return value.toString();
  return value;
}
