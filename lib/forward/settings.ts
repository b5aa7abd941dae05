import type { ListenUrl } from "../formats/listen_url.ts";
import type { TopicTemplate } from "./topic_template.ts";

/** What to do with a message longer than a frame may be, or than the broker takes. */
export type Oversize = "split" | "truncate" | "dead-letter";

/** Everything that forward-syslog was told, checked and in its own units. */
export interface ForwardSettings {
  readonly listen: readonly ListenUrl[];
  readonly topic: TopicTemplate;
  /** How many topics a template may name before the rest go to `other`. */
  readonly topicsMost: number;
  readonly key: "none" | "hostname" | "tag";
  readonly format: "json" | "raw";
  readonly recordTime: "receive" | "message";
  /** The zone of stamps that name none: an IANA name or an offset. */
  readonly timeZone: string;
  /** Whether each record carries the sender's address and the listener as headers. */
  readonly headers: boolean;
  readonly oversize: Oversize;
  readonly deadLetterTopic?: string;
  readonly lineBytesMost: number;
  /** How many bytes of records may be held that Kafka has not acknowledged. */
  readonly memoryBytes: number;
  readonly connectionsMost: number;
  /** How long a connection may say nothing before it is closed, milliseconds; 0 is for ever. */
  readonly idleMs: number;
  /** How long senders are given at the end to notice that we close, milliseconds. */
  readonly drainMs: number;
}
