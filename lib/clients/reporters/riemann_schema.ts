import protobuf from "protobufjs/light.js";

/** Of this edition a 0 is sent, too; of the next one, which JSON would mean else, it is left out. */
const edition = "proto2";

/**
 * The messages of Riemann's protocol, as far as a reporter speaks it (the schema riemann.proto of
 * its Java client), as protobufjs's JSON form: a program of one file has no schema files to read.
 */
const schema = {
  nested: {
    Attribute: {
      edition,
      fields: {
        key: { rule: "required", type: "string", id: 1 },
        value: { type: "string", id: 2 },
      },
    },
    Event: {
      edition,
      fields: {
        time: { type: "int64", id: 1 },
        state: { type: "string", id: 2 },
        service: { type: "string", id: 3 },
        host: { type: "string", id: 4 },
        description: { type: "string", id: 5 },
        tags: { rule: "repeated", type: "string", id: 7 },
        ttl: { type: "float", id: 8 },
        attributes: { rule: "repeated", type: "Attribute", id: 9 },
        timeMicros: { type: "int64", id: 10 },
        metricSint64: { type: "sint64", id: 13 },
        metricD: { type: "double", id: 14 },
        metricF: { type: "float", id: 15 },
      },
    },
    Msg: {
      edition,
      fields: {
        ok: { type: "bool", id: 2 },
        error: { type: "string", id: 3 },
        events: { rule: "repeated", type: "Event", id: 6 },
      },
    },
  },
} as const;

/** An event: what Riemann is told, and lets expire after `ttl`. */
export interface RiemannEvent {
  /** Seconds since 1970-01-01 UTC, and the same in microseconds for servers of 0.2.13 and newer. */
  readonly time: number;
  readonly timeMicros: number;
  readonly state: string;
  /** With the host, what tells it from others. */
  readonly service: string;
  readonly host: string;
  readonly description?: string;
  readonly tags: readonly string[];
  /** Seconds. */
  readonly ttl: number;
  readonly attributes: readonly { readonly key: string; readonly value: string }[];
  /** One of these two. */
  readonly metricSint64?: number;
  readonly metricD?: number;
}

/** Riemann's answer. */
export interface RiemannAnswer {
  readonly ok: boolean;
  readonly error: string;
}

const root = protobuf.Root.fromJSON(schema);
const Event = root.lookupType("Event");
const Msg = root.lookupType("Msg");

/** The bytes of one message with these events. */
export function encodeEvents(events: readonly RiemannEvent[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Msg.encode({ events }).finish());
}

/** How many bytes an event takes within a message. */
export function encodedBytes(event: RiemannEvent): number {
  const { len } = Event.encode(event);
  // Its tag, and its length as a varint of up to three bytes (2 MiB).
  return len + 4;
}

/** @throws {Error} when these bytes are no message. */
export function decodeAnswer(bytes: Uint8Array): RiemannAnswer {
  const { ok, error } = Msg.toObject(Msg.decode(bytes), { defaults: true });
  return { ok: ok === true, error: String(error) };
}
