import { freePort } from "./ports.ts";
import { type PostgresServer, startPostgres } from "./postgres_server.ts";
import { catalogSql } from "./redshift_catalog.ts";
import { RedshiftFaults } from "./redshift_faults.ts";
import { noSession, RedshiftLink } from "./redshift_link.ts";
import { RedshiftSession, type SessionPlace } from "./redshift_session.ts";
import { writeAll } from "./redshift_wire.ts";
import type { S3Server } from "./s3_server.ts";

/** How a stand-in is wanted. */
export interface RedshiftOptions {
  /** The PostgreSQL behind it, 15 or newer; without it one of its own. It gets a database there. */
  readonly postgres?: PostgresServer;
  /** Where COPY finds its files; its keys are the right ones. */
  readonly s3: S3Server;
  /** A token that COPY must say besides the keys. */
  readonly sessionToken?: string;
}

let databases = 0;

/**
 * A stand-in for Redshift: a proxy in front of a real PostgreSQL that does what Redshift does and
 * PostgreSQL does not. It cannot show what it was not written to show: each behaviour names its page.
 */
export class RedshiftStandIn implements AsyncDisposable {
  /** The role that COPY may name (IAM_ROLE). */
  readonly role = "arn:aws:iam::123456789012:role/sluice-test";
  readonly faults = new RedshiftFaults();
  /** Every statement, in the order in which they came. */
  readonly statements: string[] = [];
  readonly #sessions = new Map<RedshiftLink, Promise<void>>();
  #queryId = 1000;

  private constructor(
    readonly postgres: PostgresServer,
    private readonly isOwn: boolean,
    readonly s3: S3Server,
    readonly database: string,
    readonly port: number,
    private readonly listener: Deno.Listener,
    private readonly sessionToken: string | undefined,
  ) {}

  static async start(options: RedshiftOptions): Promise<RedshiftStandIn> {
    const postgres = options.postgres ?? await startPostgres();
    const isOwn = options.postgres === undefined;
    try {
      const database = `redshift${++databases}_${crypto.randomUUID().slice(0, 8)}`;
      await postgres.createDatabase(database);
      await postgres.psql(catalogSql(database), database);
      const port = freePort();
      const listener = Deno.listen({ hostname: "127.0.0.1", port });
      const { s3, sessionToken } = options;
      const all = [postgres, isOwn, s3, database, port, listener, sessionToken] as const;
      const standIn = new RedshiftStandIn(...all);
      standIn.#accept();
      return standIn;
    } catch (thrown) {
      if (isOwn) await postgres.stop();
      throw thrown;
    }
  }

  /** With the password, and without TLS, which the stand-in does not speak. */
  url(form: "redshift" | "jdbc" = "redshift"): string {
    const { user, password } = this.postgres;
    const place = `127.0.0.1:${this.port}/${this.database}`;
    return form === "redshift"
      ? `redshift://${user}:${password}@${place}?sslmode=disable`
      : `jdbc:redshift://${place}?user=${user}&password=${password}&ssl=false`;
  }

  /** What COPY says to be let in: `CREDENTIALS '...'`. */
  get credentials(): string {
    const { accessKey, secretKey } = this.s3;
    const token = this.sessionToken === undefined ? "" : `;token=${this.sessionToken}`;
    return `CREDENTIALS 'aws_access_key_id=${accessKey};aws_secret_access_key=${secretKey}${token}'`;
  }

  /** Runs SQL on PostgreSQL itself, past everything that the stand-in does. */
  psql(sql: string): Promise<string> {
    return this.postgres.psql(sql, this.database);
  }

  /** Cuts all connections at once. */
  cutAll(): void {
    for (const link of this.#sessions.keys()) link.close();
  }

  async stop(): Promise<void> {
    this.listener.close();
    this.cutAll();
    await Promise.all(this.#sessions.values());
    if (this.isOwn) await this.postgres.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #accept(): Promise<void> {
    const place: SessionPlace = {
      backendPort: this.postgres.port,
      database: this.database,
      rights: { s3: this.s3, role: this.role, sessionToken: this.sessionToken },
      faults: this.faults,
      onStatement: (sql) => void this.statements.push(sql),
      nextQueryId: () => ++this.#queryId,
      note: async (sql) => void await this.psql(sql),
    };
    try {
      for await (const client of this.listener) {
        const link = new RedshiftLink(client, this.postgres.port);
        const served = new RedshiftSession(link, place).run()
          .catch(async (thrown) => {
            await writeAll(client, noSession(String(thrown))).catch(() => {});
          })
          .finally(() => {
            link.close();
            this.#sessions.delete(link);
          });
        this.#sessions.set(link, served);
      }
    } catch (thrown) {
      // Closed while it waits.
      if (!(thrown instanceof Deno.errors.BadResource)) throw thrown;
    }
  }
}

/** Starts a stand-in for Redshift. */
export function startRedshift(options: RedshiftOptions): Promise<RedshiftStandIn> {
  return RedshiftStandIn.start(options);
}
