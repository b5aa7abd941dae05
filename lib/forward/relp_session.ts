import type { Peer } from "../clients/listen/listen.ts";
import type { RecordHeader } from "../formats/record_batch.ts";
import {
  RELP_OK_BYTES_MOST,
  RelpFramer,
  relpOpenResponse,
  relpResponse,
  writeRelpOk,
} from "../formats/relp.ts";
import { AnswerQueue, type Debtor, Obligation } from "./obligations.ts";
import { type Framer, Session, type SessionTools } from "./session.ts";

const serverClose = new TextEncoder().encode("0 serverclose 0\n");

/** Answers that may wait to be written before reading pauses: a sender has to take its answers. */
const outBytesMost = 64 * 1024;

/**
 * One RELP session. A `syslog` command is answered when its record is acknowledged by Kafka and not
 * before, so a sender that keeps what was not answered (rsyslog's omrelp does) loses nothing,
 * whatever becomes of this process.
 */
export class RelpSession extends Session implements Debtor {
  protected readonly framer: Framer;
  readonly #answers = new AnswerQueue();
  #txnr = 0;
  #isOpen = false;
  #isClosing = false;
  #isOver = false;
  #out = new Uint8Array(4096);
  #outLength = 0;
  #writing: Promise<void> | null = null;
  #settled: (() => void) | null = null;

  constructor(peer: Peer, headers: readonly RecordHeader[], tools: SessionTools) {
    super(peer, headers, tools);
    const framer = new RelpFramer(this, { maxDataBytes: tools.lineBytesMost });
    this.framer = {
      push: (bytes, length) => framer.push(bytes, length),
      // A frame that was cut was never answered, so it will come again, whole.
      finish: () => {},
    };
  }

  /** Takes one frame of the protocol (librelp's doc/relp.html). */
  relp(
    txnr: number,
    command: string,
    bytes: Uint8Array,
    start: number,
    end: number,
    part: number,
    more: boolean,
  ): void {
    // What comes behind an end is not taken: it is never answered, so it will come again.
    if (this.#isOver) return;
    this.#txnr = txnr;
    switch (command) {
      case "syslog":
        if (!this.#isOpen) return this.#refuse("open the session first");
        if (start === end && part === 0 && !more) return this.#answerNow();
        return this.tools.pipeline.accept(this, bytes, start, end, part, more);
      case "open":
        this.#isOpen = true;
        return this.#put(relpOpenResponse(txnr));
      case "close":
        this.#isClosing = true;
        return this.#answerNow();
      default:
        return this.#refuse(`the command ${command} is not known here`);
    }
  }

  override landed(obligation: Obligation, more: boolean): void {
    super.landed(obligation, more);
    this.#answers.add(this.#txnr, obligation, !more, this);
  }

  /** A batch of ours is safe: what may be answered is. */
  paid(): void {
    this.#answers.take((txnr) => {
      this.#reserve(RELP_OK_BYTES_MOST);
      this.#outLength = writeRelpOk(this.#out, this.#outLength, txnr);
    });
    if (this.#isClosing && this.#answers.waiting === 0) {
      this.#put(serverClose);
      this.#isClosing = false;
      this.#isOver = true;
      // The loop may be waiting for bytes that never come: let the sender see that it is over.
      this.#written().then(() => this.peer.closeWrite());
    }
    this.#flush();
    if (this.#answers.waiting === 0) this.#settled?.();
  }

  /**
   * Answers what has been taken, then says that we close. What comes meanwhile is not taken: it is
   * never answered, so it will be sent again, to us or to another.
   */
  protected async stop(): Promise<void> {
    this.isDiscarding = true;
    while (this.#answers.waiting > 0) {
      await new Promise<void>((resolve) => this.#settled = resolve);
    }
    this.#put(serverClose);
    await this.#written();
    await this.peer.closeWrite();
  }

  /** Waits for the answers first: cut off from them, the sender would send everything again. */
  override cut(): void {
    if (this.#answers.waiting === 0) return super.cut();
    const settled = this.#settled;
    this.#settled = () => {
      settled?.();
      this.#written().then(() => super.cut());
    };
  }

  protected override get isOver(): boolean {
    return this.#isOver;
  }

  protected override async afterRead(): Promise<void> {
    this.paid();
    while (this.#outLength > outBytesMost && this.#writing !== null) await this.#writing;
  }

  protected override async beforeClose(): Promise<void> {
    await this.#written();
    if (this.#isOver) await this.peer.closeWrite().catch(() => {});
  }

  async #written(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  #refuse(text: string): void {
    this.#put(relpResponse(this.#txnr, 500, text));
    this.#isOver = true;
  }

  /** Answers the current transaction in its turn although it made no record. */
  #answerNow(): void {
    const paid = new Obligation();
    this.#answers.add(this.#txnr, paid, true, this);
    paid.pay();
  }

  #put(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#out.set(bytes, this.#outLength);
    this.#outLength += bytes.length;
    this.#flush();
  }

  #reserve(length: number): void {
    if (this.#outLength + length <= this.#out.length) return;
    const grown = new Uint8Array(this.#out.length * 2 + length);
    grown.set(this.#out.subarray(0, this.#outLength));
    this.#out = grown;
  }

  #flush(): void {
    if (this.#writing !== null || this.#outLength === 0) return;
    this.#writing = this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#outLength > 0) {
        const out = this.#out.slice(0, this.#outLength);
        this.#outLength = 0;
        await this.peer.write(out);
      }
    } catch {
      // The sender has gone: it will send again what was not answered.
      this.#outLength = 0;
      this.#isOver = true;
    } finally {
      // In the very step in which nothing was left: what comes later has to be written anew.
      this.#writing = null;
    }
  }
}
