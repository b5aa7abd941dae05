import type { RecordBatch, RecordHeader } from "../formats/record_batch.ts";
import { jsonBytesMost, SyslogJson } from "../formats/syslog_json.ts";
import type { SyslogMessage } from "../formats/syslog_message.ts";
import type { ForwardSettings } from "./settings.ts";
import type { Source } from "./source.ts";

/** Room for the headers that a record gets when the broker refuses it: it must fit again. */
const refusalBytesMost = 256;

/** Writes messages as records, straight into the batch. */
export class Encoder {
  readonly #json = new SyslogJson();
  /** For the rare value whose bound is over a whole batch; made when first needed. */
  #scratch = new Uint8Array(0);

  constructor(
    private readonly settings: Pick<ForwardSettings, "format" | "key" | "recordTime">,
  ) {}

  /** The record's key: the hostname (the sender's address when it names none) or the tag. */
  keyOf(message: SyslogMessage, bytes: Uint8Array, source: Source): Uint8Array | null {
    switch (this.settings.key) {
      case "none":
        return null;
      case "hostname":
        return message.hostStart < 0
          ? source.peerName
          : bytes.subarray(message.hostStart, message.hostEnd);
      case "tag":
        return message.tagStart < 0 ? null : bytes.subarray(message.tagStart, message.tagEnd);
    }
  }

  /** Writes the message of `bytes[start, end)` into the batch; false when it has no room for it. */
  write(
    message: SyslogMessage,
    bytes: Uint8Array,
    start: number,
    end: number,
    nowMs: number,
    source: Source,
    key: Uint8Array | null,
    batch: RecordBatch,
    headers: readonly RecordHeader[],
  ): boolean {
    const { format, recordTime } = this.settings;
    const stampMs = recordTime === "message" && message.timestampMs >= 0
      ? message.timestampMs
      : nowMs;
    if (format === "raw") return append(batch, bytes, start, end, stampMs, key, headers);
    const most = jsonBytesMost(end - start, source.peerName.length);
    const at = batch.begin(most, stampMs, key, headers);
    if (at < 0) {
      if (batch.count > 0) return false;
      if (this.#scratch.length < most) this.#scratch = new Uint8Array(most);
      const { peerName } = source;
      const to = this.#json.encode(message, bytes, start, end, nowMs, peerName, this.#scratch, 0);
      return append(batch, this.#scratch, 0, to, stampMs, key, headers);
    }
    batch.commit(
      this.#json.encode(message, bytes, start, end, nowMs, source.peerName, batch.bytes, at),
    );
    return true;
  }
}

function append(
  batch: RecordBatch,
  bytes: Uint8Array,
  start: number,
  end: number,
  stampMs: number,
  key: Uint8Array | null,
  headers: readonly RecordHeader[],
): boolean {
  const at = batch.begin(end - start + refusalBytesMost, stampMs, key, headers);
  if (at < 0) return false;
  batch.bytes.set(bytes.subarray(start, end), at);
  batch.commit(at + end - start);
  return true;
}
