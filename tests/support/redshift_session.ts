import { Buffer } from "node:buffer";
import { isCopyFromS3 } from "./redshift_copy_clause.ts";
import { Dropped, type RedshiftFaults, type StatementFault } from "./redshift_faults.ts";
import type { LoadRights } from "./redshift_files.ts";
import { grammarFaults } from "./redshift_grammar.ts";
import { loadFromS3 } from "./redshift_load.ts";
import { createdTable } from "./redshift_tables.ts";
import { addedKeys, forPostgres } from "./redshift_statements.ts";
import { folded, sqlShape, sqlStatements, sqlTokens } from "./redshift_sql.ts";
import { ExtendedBatch } from "./redshift_extended.ts";
import type { RedshiftLink } from "./redshift_link.ts";
import {
  noticeMessage,
  RedshiftError,
  type WireMessage,
  wireMessage,
  zeroEnded,
} from "./redshift_wire.ts";
import { delay } from "./waiting.ts";

/** What all sessions of a stand-in share. */
export interface SessionPlace {
  readonly backendPort: number;
  readonly database: string;
  readonly rights: LoadRights;
  readonly faults: RedshiftFaults;
  /** Told every statement, in the order in which they come. */
  readonly onStatement: (sql: string) => void;
  nextQueryId(): number;
  note(sql: string): Promise<void>;
}

const caseSetting =
  /^\s*SET\s+(?:SESSION\s+)?enable_case_sensitive_identifier\s*(?:TO\b|=)\s*'?(\w+)/i;

/** One connection of a client, from its log-in to its end. */
export class RedshiftSession {
  #keepsCase = false;

  constructor(private readonly link: RedshiftLink, private readonly place: SessionPlace) {}

  /** Serves the client until one of both ends is gone. */
  async run(): Promise<void> {
    const { link } = this;
    try {
      if (!await link.logIn()) return;
      let batch: WireMessage[] = [];
      for (let message; (message = await link.nextRequest());) {
        if (message.type === "X") return;
        // Data of COPY FROM STDIN, which nobody has asked for.
        if ("dcf".includes(message.type)) continue;
        if (message.type === "Q") await this.#simple(message);
        else batch.push(message);
        if (!"SH".includes(message.type)) continue;
        await new ExtendedBatch(
          link,
          (sql) => this.refuse(sql),
          (sql) => this.begin(sql),
          (sql) => this.fold(sql),
        ).run(batch);
        batch = [];
      }
    } catch (thrown) {
      if (!(thrown instanceof Dropped) && !link.isClosed) throw thrown;
    } finally {
      link.close();
    }
  }

  async #simple(message: WireMessage): Promise<void> {
    const { link } = this;
    const sql = Buffer.from(message.body.subarray(0, -1)).toString("utf8");
    const statements = sqlStatements(sql);
    if (statements.length === 0) await link.send(wireMessage("I"));
    const isOwn = (one: string) =>
      /^\s*(BEGIN|START|COMMIT|END|ROLLBACK|ABORT|VACUUM)\b/i.test(one);
    // Several statements in one message are one transaction, as the protocol has it.
    const isGroup = link.status === "I" && statements.length > 1 && !statements.some(isOwn);
    if (isGroup) await link.query("BEGIN");
    let isGood = true;
    for (const statement of statements) {
      isGood = await this.#statement(statement);
      if (!isGood) break;
    }
    if (isGroup && link.status !== "I") await link.query(isGood ? "COMMIT" : "ROLLBACK");
    await link.ready();
  }

  /** @returns whether it succeeded; what there is to say of it has been sent. */
  async #statement(sql: string): Promise<boolean> {
    const { link } = this;
    try {
      const fault = await this.begin(sql);
      const isGood = await this.#carryOut(sql);
      if (fault?.kind === "drop") throw new Dropped();
      return isGood;
    } catch (thrown) {
      if (!(thrown instanceof RedshiftError)) throw thrown;
      const isCommit = /^\s*(COMMIT|END)\b/i.test(sql);
      await (isCommit ? link.query("ROLLBACK") : link.abort());
      await link.send(thrown.bytes);
      return false;
    }
  }

  /** What was demanded to go wrong before a statement; gives what is to happen behind it. */
  async begin(sql: string): Promise<StatementFault | undefined> {
    this.place.onStatement(sql);
    const fault = this.place.faults.take(sql);
    if (fault?.kind === "slow") await delay(fault.ms);
    if (fault?.kind === "error") throw new RedshiftError(fault.message, fault.sqlState);
    if (fault?.kind === "drop" && fault.when === "before") throw new Dropped();
    return fault;
  }

  /** @throws {RedshiftError} what Redshift has no grammar for. */
  refuse(sql: string): void {
    const fault = grammarFaults(sql)[0];
    if (fault) throw new RedshiftError(fault.message, fault.sqlState);
    const shape = sqlShape(sqlTokens(sql));
    if (/^UNLOAD\b|^MERGE .*\bREMOVE DUPLICATES\b|^ALTER TABLE .*\bAPPEND FROM\b/.test(shape)) {
      throw new RedshiftError("the stand-in does not do this statement", "0A000");
    }
  }

  /** The text as the names in it are meant. */
  fold(sql: string): string {
    const [, word] = caseSetting.exec(sql) ?? [];
    if (word !== undefined) this.#keepsCase = /^(true|on|1)$/i.test(word);
    return this.#keepsCase ? sql : folded(sql);
  }

  async #carryOut(text: string): Promise<boolean> {
    const { link } = this;
    const sql = this.fold(text);
    this.refuse(sql);
    const shape = sqlShape(sqlTokens(sql));
    if (isCopyFromS3(shape)) return await this.#copy(sql);
    const created = createdTable(sql);
    const keys = addedKeys(sql);
    if (keys) {
      for (const after of keys) await link.query(after);
      await link.send(wireMessage("C", zeroEnded("ALTER TABLE")));
      return true;
    }
    const error = await link.forward(created?.sql ?? forPostgres(sql), shape.startsWith("MERGE "));
    if (error) return false;
    for (const after of created?.after ?? []) await link.query(after);
    // "TRUNCATE commits the transaction in which it is run" (r_TRUNCATE).
    if (shape.startsWith("TRUNCATE ") && link.status === "T") await link.query("COMMIT");
    return true;
  }

  async #copy(sql: string): Promise<boolean> {
    const { link, place } = this;
    const said = await loadFromS3(
      sql,
      {
        processId: link.processId,
        database: place.database,
        query: (text) => link.query(text),
        copyIn: (text, lines) => link.copyIn(text, lines),
        note: (text) => place.note(text),
      },
      place.rights,
      place.nextQueryId(),
    );
    for (const text of said) await link.send(noticeMessage(text));
    // Without a count of rows (pgcli issue 1320).
    await link.send(wireMessage("C", zeroEnded("COPY")));
    return true;
  }
}
