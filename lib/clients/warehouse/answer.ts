import type { Buffer } from "node:buffer";
import { errorOf, type FieldDescription, fieldsOf, From } from "./messages.ts";
import type { MessageReader } from "./message_reader.ts";
import { ReportedError, reportFrom, type ServerReport } from "./server_report.ts";
import type { Row } from "./warehouse.ts";

/** A part of an answer that somebody has to look at. */
export type AnswerPart =
  | { readonly type: "fields"; readonly fields: readonly FieldDescription[] }
  | { readonly type: "rows"; readonly rows: readonly Row[] }
  | { readonly type: "copyData"; readonly bytes: Uint8Array }
  /** The server waits for the data of COPY ... FROM STDIN. */
  | { readonly type: "copyIn" }
  | { readonly type: "complete"; readonly tag: string };

/** A server's answer to what was sent at once: it ends when the server is ready for more. */
export class Answer {
  #isOver = false;
  #transaction: "none" | "open" | "failed" = "none";
  #failure: ServerReport | undefined;

  constructor(private readonly reader: MessageReader) {}

  /** True: the server is ready for the next statement. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** What the server told at the end. */
  get transaction(): "none" | "open" | "failed" {
    return this.#transaction;
  }

  /**
   * The next part; undefined at the end.
   *
   * @throws {ReportedError} at the end, when a statement has failed: the server is ready all the same.
   *   Unless {@linkcode Answer.isOver} is false then: it has said why it closes the connection.
   * @throws {Error} when the connection is lost.
   */
  async next(): Promise<AnswerPart | undefined> {
    while (!this.#isOver) {
      const part = await this.#receive();
      if (part) return part;
    }
    if (this.#failure) throw new ReportedError(this.#failure);
    return undefined;
  }

  /** Reads to the end and forgets what comes. Never throws for a statement that has failed. */
  async skip(): Promise<void> {
    while (!this.#isOver) await this.#receive();
  }

  async #receive(): Promise<AnswerPart | undefined> {
    const received = await this.#read();
    if (received.type !== "message") return received;
    return this.#partOf(received.code, received.body);
  }

  async #read() {
    try {
      return await this.reader.next();
    } catch (thrown) {
      // What the server said before it closed is better than that it is closed.
      throw this.#failure ? new ReportedError(this.#failure) : thrown;
    }
  }

  #partOf(code: number, body: Buffer): AnswerPart | undefined {
    switch (code) {
      case From.rowDescription:
        return { type: "fields", fields: fieldsOf(body) };
      case From.copyInResponse:
        return { type: "copyIn" };
      case From.commandComplete:
        return { type: "complete", tag: body.toString("utf8", 0, body.length - 1) };
      case From.error:
        this.#failure ??= reportFrom(errorOf(body));
        return undefined;
      case From.ready:
        this.#isOver = true;
        this.#transaction = body[0] === 0x54 ? "open" : body[0] === 0x45 ? "failed" : "none";
        return undefined;
      default:
        // Notices, parameters, notifications, steps of the extended protocol.
        return undefined;
    }
  }
}
