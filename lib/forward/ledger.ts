/**
 * The counts that must agree: every record that was taken is acknowledged, dead-lettered or still
 * held. `held` is counted from the batches themselves, not derived from the other numbers, so that a
 * lost batch shows.
 */
export class Ledger {
  /** Frames taken from senders, empty ones left out. */
  messages = 0;
  bytes = 0;
  /** Records made of them: one a frame, more when an over-long message was split. */
  received = 0;
  acknowledged = 0;
  deadLettered = 0;
  /** Messages sent as they came because they are no syslog; they are counted above as well. */
  unparsed = 0;
  /** Messages that lost their end because `--oversize truncate` says so, and the bytes they lost. */
  truncated = 0;
  truncatedBytes = 0;
  /** Records that the broker refused and that went on changed. */
  refused = 0;
  /** Records sent again with the receive time because the broker refused their own. */
  restamped = 0;

  /** The records that are neither acknowledged nor held: 0, or a defect. */
  missing(held: number): number {
    return this.received - this.acknowledged - this.deadLettered - held;
  }

  /** The line that is logged at the end. */
  summary(held: number): Record<string, number> {
    return {
      messages: this.messages,
      received: this.received,
      acknowledged: this.acknowledged,
      deadLettered: this.deadLettered,
      inFlight: held,
      unparsed: this.unparsed,
      truncated: this.truncated,
      refused: this.refused,
    };
  }
}
