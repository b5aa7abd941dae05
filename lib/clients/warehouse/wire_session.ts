import { Buffer } from "node:buffer";
import { faultOf, reasonOf, SluiceError } from "../../core/errors.ts";
import { Answer, type AnswerPart } from "./answer.ts";
import { pumpCopyData } from "./copy_pump.ts";
import { connectionFailure, reportedFailure } from "./failures.ts";
import {
  affectedOf,
  boundMessages,
  copyDoneMessage,
  copyFailMessage,
  type FieldDescription,
  queryMessage,
} from "./messages.ts";
import { MessageReader } from "./message_reader.ts";
import { ReportedError } from "./server_report.ts";
import { Turns } from "./turns.ts";
import { typeNameOf } from "./type_names.ts";
import type {
  Column,
  QueryResult,
  Row,
  RowStream,
  Session,
  StatementOptions,
  WarehouseKind,
} from "./warehouse.ts";
import type { Wire } from "./wire.ts";

/** After so long a server that goes on is told once more to give a statement up. */
const cancelAgainMs = 1_000;

/** A session that speaks PostgreSQL's protocol over a wire. */
export class WireSession implements Session {
  readonly #reader: MessageReader;
  readonly #turns = new Turns();
  /** What has the turn now; undefined between statements. */
  #answer: Answer | undefined;
  #isReadOut = false;
  #transaction: Session["transaction"] = "none";
  #isBroken = false;
  #isClosing = false;
  /** Gives up the COPY whose data is being sent. */
  #stopCopy: (() => void) | undefined;
  #cancelling: Promise<void> = Promise.resolve();
  #cancelAgain: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param place for messages: the URL without the password.
   * @param onClose told once, when the session is closed.
   */
  constructor(
    readonly kind: WarehouseKind,
    private readonly place: string,
    private readonly wire: Wire,
    private readonly onClose: (session: Session) => void = () => {},
  ) {
    this.#reader = new MessageReader(() => wire.read());
  }

  get isBroken(): boolean {
    return this.#isBroken || this.wire.isClosed;
  }

  get transaction(): Session["transaction"] {
    return this.#transaction;
  }

  async query(sql: string, params?: Row): Promise<QueryResult> {
    const bytes = params?.length ? boundMessages(sql, params) : this.#statement(sql);
    const action = this.#action("run a statement");
    return await this.#run(action, bytes, async (answer) => {
      let columns: readonly Column[] = [];
      let rows: Row[] = [];
      let tag = "";
      for (let part; (part = await answer.next());) {
        if (part.type === "fields") [columns, rows] = [part.fields.map(columnOf), []];
        if (part.type === "rows") { for (const row of part.rows) rows.push(row); }
        if (part.type === "complete") tag = part.tag;
        if (part.type === "copyIn") await this.#refuseCopy(action, answer);
      }
      return { columns, rows, affected: affectedOf(tag) };
    });
  }

  async execute(sql: string): Promise<number> {
    const action = this.#action("run a statement");
    return await this.#run(action, this.#statement(sql), async (answer) => {
      let tag = "";
      for (let part; (part = await answer.next());) {
        if (part.type === "complete") tag = part.tag;
        if (part.type === "copyIn") await this.#refuseCopy(action, answer);
      }
      return affectedOf(tag);
    });
  }

  async copyIn(sql: string, pieces: AsyncIterable<Uint8Array>): Promise<number> {
    const action = this.#action("copy rows");
    this.#needCopy(action);
    return await this.#run(action, queryMessage(sql), async (answer) => {
      if (this.wire.isDuplex) {
        let part: AnswerPart | undefined;
        while ((part = await answer.next()) && part.type !== "copyIn");
        if (!part) throw notACopy(action, "FROM STDIN");
      }
      return await this.#send(answer, pieces);
    });
  }

  /** Sends the data of COPY, and reads what the server says of it, both at once. */
  async #send(answer: Answer, pieces: AsyncIterable<Uint8Array>): Promise<number> {
    let tag = "";
    const readAnswer = async () => {
      for (let part; (part = await answer.next());) {
        if (part.type === "complete") tag = part.tag;
      }
    };
    let begin = () => {};
    const begun = this.wire.isDuplex
      ? Promise.resolve()
      : new Promise<void>((resolve) => begin = resolve);
    const answered = begun.then(readAnswer);
    const cancelled = new Promise<void>((resolve) => this.#stopCopy = resolve);
    const pumped = await pumpCopyData(this.wire, pieces, answered.catch(() => {}), cancelled);
    this.#stopCopy = undefined;
    // A lost connection shows in the answer.
    if (pumped.end === "whole") await this.wire.write(copyDoneMessage).catch(() => {});
    if (pumped.end === "source failed" || pumped.end === "cancelled") {
      const reason = pumped.end === "cancelled" ? "cancelled" : reasonOf(pumped.thrown);
      await this.wire.write(copyFailMessage(`sluice: ${reason}`)).catch(() => {});
    }
    begin();
    if (pumped.end !== "source failed") await answered;
    else {
      await answered.catch(() => {});
      throw new SourceError(pumped.thrown);
    }
    if (!/^COPY/.test(tag)) throw notACopy(this.#action("copy rows"), "FROM STDIN");
    return affectedOf(tag);
  }

  async *copyOut(sql: string, options?: StatementOptions): AsyncGenerator<Uint8Array> {
    const action = this.#action("copy rows out");
    this.#needCopy(action);
    const { answer, release } = await this.#begin(action, this.#statement(sql, options), true);
    try {
      let isCopy = false;
      for (let part; (part = await answer.next());) {
        if (part.type === "copyIn") await this.#refuseCopy(action, answer);
        if (part.type === "copyData") yield part.bytes;
        isCopy ||= part.type === "copyData" || part.type === "complete" && /^COPY/.test(part.tag);
      }
      if (!isCopy) throw notACopy(action, "TO STDOUT");
    } catch (thrown) {
      throw this.#failure(action, thrown, answer);
    } finally {
      await this.#leave(answer);
      release();
    }
  }

  async stream(sql: string, options?: StatementOptions): Promise<RowStream> {
    const action = this.#action("run a statement");
    const { answer, release } = await this.#begin(action, this.#statement(sql, options), true);
    let first: AnswerPart | undefined;
    let tag = "";
    try {
      while ((first = await answer.next()) && first.type !== "fields") {
        if (first.type === "copyIn") await this.#refuseCopy(action, answer);
        if (first.type === "complete") tag = first.tag;
      }
    } catch (thrown) {
      release();
      throw this.#failure(action, thrown, answer);
    }
    const columns = first?.type === "fields" ? first.fields.map(columnOf) : [];
    let isLeft = false;
    const leave = async () => {
      if (isLeft) return;
      isLeft = true;
      await this.#leave(answer);
      release();
    };
    if (!first) await leave();
    const batches = this.#batches(action, answer, leave, (last) => tag = last);
    return {
      columns,
      get tag() {
        return tag;
      },
      [Symbol.asyncIterator]: () => ({
        next: () => batches.next(),
        // Also before the first batch, when the generator has nothing of its own to clean up yet.
        return: async () => {
          const end = await batches.return(undefined);
          await leave();
          return end;
        },
      }),
    };
  }

  async *#batches(
    action: string,
    answer: Answer,
    leave: () => Promise<void>,
    onTag: (tag: string) => void,
  ): AsyncGenerator<readonly Row[], undefined> {
    try {
      for (let part; (part = await answer.next());) {
        if (part.type === "copyIn") await this.#refuseCopy(action, answer);
        if (part.type === "rows") yield part.rows;
        if (part.type === "complete") onTag(part.tag);
      }
    } catch (thrown) {
      throw this.#failure(action, thrown, answer);
    } finally {
      await leave();
    }
    return undefined;
  }

  /** After a loop that was left early: the rest of the answer is of no interest to anybody. */
  async #leave(answer: Answer): Promise<void> {
    if (answer.isOver || this.isBroken) return;
    try {
      await this.cancel();
      await answer.skip();
    } catch {
      this.#isBroken = true;
    }
  }

  async cancel(): Promise<void> {
    const answer = this.#answer;
    if (!answer || answer.isOver || this.isBroken) return;
    // A server that waits for the data of COPY hears nothing else.
    this.#stopCopy?.();
    const cancelling = this.wire.cancel();
    // The next statement waits for it: it must not be the one that is hit.
    this.#cancelling = cancelling.catch(() => {});
    try {
      await cancelling;
    } catch (thrown) {
      throw connectionFailure(this.#action("cancel a statement"), thrown);
    } finally {
      this.#insist(answer);
    }
  }

  /**
   * A server that has heard of it before it has read the statement takes it for one about nothing, and
   * runs the statement: it is told again until the answer is over.
   */
  #insist(answer: Answer): void {
    if (this.#answer !== answer || answer.isOver || this.isBroken || this.#isClosing) return;
    clearTimeout(this.#cancelAgain);
    this.#cancelAgain = setTimeout(() => this.cancel().catch(() => {}), cancelAgainMs);
  }

  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    clearTimeout(this.#cancelAgain);
    const isIdle = !this.#answer || this.#answer.isOver;
    // A server that is busy would only notice at its end that nobody waits for it.
    if (!isIdle) await this.cancel().catch(() => {});
    this.#isBroken = true;
    await this.wire.close(isIdle);
    this.onClose(this);
  }

  async #run<T>(
    action: string,
    bytes: Uint8Array,
    act: (answer: Answer) => Promise<T>,
  ): Promise<T> {
    const { answer, release } = await this.#begin(action, bytes, false);
    try {
      return await act(answer);
    } catch (thrown) {
      throw this.#failure(action, thrown, answer);
    } finally {
      release();
    }
  }

  /** Waits for the turn and sends a statement. */
  async #begin(action: string, bytes: Uint8Array, isReadOut: boolean) {
    if (this.#isReadOut) {
      const detail = "the result before is still being read; read it to its end, or leave its loop";
      throw new SluiceError(action, "permanent", detail);
    }
    // Set before the wait: who waits behind a result in the same task would wait for ever.
    this.#isReadOut = isReadOut;
    const done = await this.#turns.take();
    const answer = new Answer(this.#reader);
    const release = () => {
      clearTimeout(this.#cancelAgain);
      this.#answer = undefined;
      if (answer.isOver) this.#transaction = answer.transaction;
      if (isReadOut) this.#isReadOut = false;
      done();
    };
    await this.#cancelling;
    if (this.#isBroken) {
      release();
      const detail = this.#isClosing ? "the session is closed" : "the connection was cut";
      throw new SluiceError(action, this.#isClosing ? "permanent" : "transient", detail);
    }
    this.#answer = answer;
    // Of a connection that is lost, what it said last may still be there to be read.
    await this.wire.write(bytes).catch(() => {});
    return { answer, release };
  }

  /**
   * A statement that is given no data. Within this process nobody can tell a COPY FROM STDIN so while
   * it waits: it is told in advance, and everything else passes over it.
   */
  #statement(sql: string, { isSingle = false }: StatementOptions = {}): Uint8Array {
    // Only the extended protocol takes one statement and no more.
    const bytes = isSingle ? boundMessages(sql, []) : queryMessage(sql);
    return this.wire.isDuplex ? bytes : Buffer.concat([bytes, copyFailMessage(noData)]);
  }

  /** Data was asked for where there is none: without a word from us the server would wait for ever. */
  async #refuseCopy(action: string, answer: Answer): Promise<never> {
    if (this.wire.isDuplex) await this.wire.write(copyFailMessage(noData));
    await answer.skip();
    throw new SluiceError(action, "permanent", "there is no data here for COPY ... FROM STDIN");
  }

  #needCopy(action: string): void {
    if (this.kind !== "redshift") return;
    const detail = "Redshift has no COPY with STDIN or STDOUT; COPY from S3 and UNLOAD to it";
    throw new SluiceError(action, "permanent", detail);
  }

  #action(act: string): string {
    return `${act} on ${this.place}`;
  }

  /** The error that the caller sees; a session whose answer did not come to its end is broken. */
  #failure(action: string, thrown: unknown, answer: Answer): unknown {
    if (!answer.isOver) this.#isBroken = true;
    if (thrown instanceof SourceError) return thrown.thrown;
    if (thrown instanceof ReportedError) {
      const failure = reportedFailure(action, thrown.report);
      if (answer.isOver || faultOf(failure) === "transient") return failure;
      // Whatever ended the connection, nobody knows what became of the statement.
      return new SluiceError(action, "transient", failure.detail, { cause: thrown });
    }
    return connectionFailure(action, thrown);
  }
}

const noData = "sluice has no data for COPY FROM STDIN here";

/** Carries what the source of COPY's data has thrown past the errors of the session. */
class SourceError extends Error {
  constructor(readonly thrown: unknown) {
    super("The data of COPY could not be made");
  }
}

function columnOf({ name, typeOid }: FieldDescription): Column {
  return { name, type: typeNameOf(typeOid) };
}

function notACopy(action: string, what: string): SluiceError {
  return new SluiceError(action, "permanent", `the statement is no COPY ... ${what}`);
}
