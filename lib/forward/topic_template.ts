import { usageError } from "../core/errors.ts";

/** The parts of a message that may name its topic. */
export type TopicField = "hostname" | "tag" | "facility" | "severity";

const fields: readonly TopicField[] = ["hostname", "tag", "facility", "severity"];

/** What the field of a message becomes once as many topics exist as are allowed. */
export const overflowWord = "other";

/** The longest topic name that Kafka takes (org.apache.kafka.common.internals.Topic). */
const nameCharsMost = 249;

/** A topic name, fixed or with fields of the message in braces: `syslog.{hostname}`. */
export interface TopicTemplate {
  readonly text: string;
  /** Fixed words and fields in turn: word, field, word, field, ..., word. */
  readonly words: readonly string[];
  readonly fields: readonly TopicField[];
}

/**
 * Reads a topic name or template.
 *
 * @throws {SluiceError} `usage` for names that Kafka refuses and for unknown fields.
 */
export function parseTopicTemplate(text: string): TopicTemplate {
  const pieces = text.split(/\{([^{}]*)\}/);
  const words = pieces.filter((_, i) => i % 2 === 0);
  const named = pieces.filter((_, i) => i % 2 === 1);
  const unknown = named.find((field) => !fields.includes(field as TopicField));
  if (unknown !== undefined) {
    throw usageError(
      `use topic "${text}"`,
      `{${unknown}} is no field; give one of ${fields.map((field) => `{${field}}`).join(", ")}`,
    );
  }
  if (words.some((word) => topicWord(word) !== word) || text === "" || /^\.\.?$/.test(text)) {
    throw usageError(
      `use topic "${text}"`,
      "Kafka allows letters, digits, dots, dashes, underscores",
    );
  }
  if (words.join("").length + named.length > nameCharsMost) {
    throw usageError(`use topic "${text}"`, `Kafka allows ${nameCharsMost} characters`);
  }
  return { text, words, fields: named as TopicField[] };
}

/** The topic of a message whose fields are given, in the template's order; always a legal name. */
export function topicOf(template: TopicTemplate, values: readonly string[]): string {
  let name = template.words[0] ?? "";
  template.fields.forEach((_, i) => {
    name += (topicWord(values[i] ?? "") || "none") + (template.words[i + 1] ?? "");
  });
  return legal(name.slice(0, nameCharsMost));
}

/** A sender must not name what is no topic, nor one of Kafka's own (`__consumer_offsets`). */
function legal(name: string): string {
  if (/^\.\.?$/.test(name)) return "none";
  return name.replace(/^__+/, "_");
}

/** The text with every character that a topic name cannot hold replaced by `_`. */
function topicWord(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/g, "_");
}
