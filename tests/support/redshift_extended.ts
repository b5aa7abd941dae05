import { Buffer } from "node:buffer";
import { isCopyFromS3 } from "./redshift_copy_clause.ts";
import { Dropped, type StatementFault } from "./redshift_faults.ts";
import type { RedshiftLink } from "./redshift_link.ts";
import { addedKeys, forPostgres } from "./redshift_statements.ts";
import { createdTable } from "./redshift_tables.ts";
import { sqlShape, sqlTokens } from "./redshift_sql.ts";
import {
  RedshiftError,
  textsOf,
  type WireMessage,
  wireMessage,
  zeroEnded,
} from "./redshift_wire.ts";

/** What answers each message at its end. */
const ends: Readonly<Record<string, string>> = { P: "1", B: "2", C: "3", D: "Tn", E: "CIs" };

/**
 * The messages of the extended protocol up to a Sync or a Flush. Grammar is checked in Parse; what the
 * stand-in does by itself (COPY, CREATE TABLE, TRUNCATE, MERGE) is taken by the simple protocol only.
 */
export class ExtendedBatch {
  constructor(
    private readonly link: RedshiftLink,
    private readonly refuse: (sql: string) => void,
    private readonly begin: (sql: string) => Promise<StatementFault | undefined>,
    private readonly fold: (sql: string) => string,
  ) {}

  async run(batch: readonly WireMessage[]): Promise<void> {
    const { link } = this;
    const last = batch.at(-1);
    const sent: WireMessage[] = [];
    let error: RedshiftError | undefined;
    let fault: StatementFault | undefined;
    for (const message of batch.slice(0, -1)) {
      try {
        const written = message.type === "P" ? this.#parsed(message) : message;
        if (message.type === "P") fault = await this.begin(textsOf(message.body)[1] ?? "") ?? fault;
        sent.push(written);
      } catch (thrown) {
        if (!(thrown instanceof RedshiftError)) throw thrown;
        error = thrown;
        break;
      }
    }
    const unnamed = sent.some(({ type, body }) => type === "E" && isUnnamedPage(body));
    // A batch that was refused is ended here; the client's own Sync ends it for the client.
    const isSync = last?.type === "S" || error !== undefined;
    for (const { bytes } of sent) await link.toBackend(bytes);
    await link.toBackend(wireMessage(isSync ? "S" : "H"));
    const said = await this.#pump(sent, isSync, unnamed);
    if (fault?.kind === "drop") throw new Dropped();
    if (error && !said) {
      await link.abort();
      await link.send(error.bytes);
    }
    if (isSync && last?.type === "S") await link.ready();
    await link.flush();
  }

  #parsed(message: WireMessage): WireMessage {
    const [name = "", sql = ""] = textsOf(message.body);
    this.refuse(sql);
    const shape = sqlShape(sqlTokens(sql));
    const isOwn = isCopyFromS3(shape) || createdTable(sql) || addedKeys(sql) ||
      /^(TRUNCATE|MERGE)\b/.test(shape);
    if (isOwn) {
      throw new RedshiftError("the stand-in takes this by the simple protocol only", "0A000");
    }
    const head = zeroEnded(name, forPostgres(this.fold(sql)));
    const types = message.body.subarray(zeroEnded(name, sql).length);
    const body = Buffer.concat([head, types]);
    return { type: "P", body, bytes: wireMessage("P", body) };
  }

  /** Passes the answers on; gives whether an error was among them. */
  async #pump(sent: readonly WireMessage[], isSync: boolean, unnamed: boolean): Promise<boolean> {
    const { link } = this;
    let hasFailed = false;
    const awaited = sent.map(({ type }) => ends[type] ?? "");
    for (let at = 0; isSync || at < awaited.length;) {
      const message = await link.nextAnswer();
      if (message.type === "Z") return hasFailed;
      if (message.type === "s" && unnamed) {
        // A page of the unnamed portal: "portal "" does not exist or is suspended" (node-pg-cursor
        // pull request 44 and issue 55): only named portals can be read in pages.
        await link.send(new RedshiftError('portal "" cannot be suspended', "34000").bytes);
        hasFailed = true;
      } else if (!hasFailed || message.type === "N") await link.send(message.bytes);
      if (message.type === "E") hasFailed = true;
      if (!isSync && hasFailed) return true;
      if (awaited[at]?.includes(message.type)) at++;
    }
    return hasFailed;
  }
}

/** Execute with a limit of rows and no portal's name. */
function isUnnamedPage(body: Uint8Array): boolean {
  const name = textsOf(body)[0] ?? "";
  return name === "" && Buffer.from(body).readInt32BE(1) > 0;
}
