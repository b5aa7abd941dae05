import type { ArchiveFilter } from "../lib/archive/listing.ts";
import { number, patterns, text, type ValuesOf } from "../lib/core/options.ts";

/** What the operand of every command that reads an archive is. */
export const archiveOperand = {
  placeholder: "URL",
  isOne: true,
  help:
    "s3://BUCKET/PREFIX or file:///FOLDER as given to archive --to, or the folder of a group, " +
    "of a topic or of a partition in it",
} as const;

/** The options of every command that reads an archive. */
export const archiveReadOptions = {
  "group": text({ placeholder: "NAME", help: "only what this consumer group archived" }),
  "topic": patterns({ help: "only topics whose whole name matches one of these" }),
} as const;

/** `--parallel` of commands that look at each object. */
export const parallel = number({
  fallback: 4,
  least: 1,
  most: 64,
  help: "how many objects are read at once",
});

/** What the options leave of an archive. */
export function filterOf(values: ValuesOf<typeof archiveReadOptions>): ArchiveFilter {
  const { group, topic } = values;
  const alternatives = topic.map((pattern) => `(?:${pattern})`).join("|");
  return {
    ...(group === undefined ? {} : { group }),
    ...(topic.length === 0 ? {} : { topic: new RegExp(`^(?:${alternatives})$`, "u") }),
  };
}
