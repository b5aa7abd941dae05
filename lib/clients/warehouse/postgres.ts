import type { ConnectionOptions } from "node:tls";
import type { SluiceError } from "../../core/errors.ts";
import type { World } from "../../core/world.ts";
import { connectionFailure, reportedFailure } from "./failures.ts";
import { Client, Connection, type PgClient } from "./pg_library.ts";
import { tlsOptions } from "./pg_tls.ts";
import { PgWire } from "./pg_wire.ts";
import { reportFrom } from "./server_report.ts";
import { applyOptions } from "./session_options.ts";
import type { Session, SessionOptions, Warehouse } from "./warehouse.ts";
import type { PostgresPlace } from "./warehouse_url.ts";
import { WireSession } from "./wire_session.ts";

/** A connection without traffic, as during a long statement, is kept up by the kernel from here on. */
const keepAliveAfterMs = 30_000;

/** How long a cancel request may take. */
const cancelMs = 5_000;

/** Opens a PostgreSQL or Redshift; nothing is asked of it yet. */
export function openPostgres(place: PostgresPlace, world: World): Warehouse {
  return new PostgresWarehouse(place, world);
}

class PostgresWarehouse implements Warehouse {
  readonly #sessions = new Set<Session>();
  #hasWarned = false;

  constructor(private readonly place: PostgresPlace, private readonly world: World) {}

  get kind(): "postgres" | "redshift" {
    return this.place.kind;
  }

  get url(): string {
    return this.place.url;
  }

  async connect(options: SessionOptions = {}): Promise<Session> {
    const { place } = this;
    const action = `connect to ${place.url}`;
    const tls = await tlsOptions(place.tls);
    const [client, used] = await this.#logIn(action, tls, options);
    const cancel = () => cancelStatement(place, used, client);
    const wire = new PgWire(client.connection.stream, cancel);
    const session = new WireSession(
      place.kind,
      place.url,
      wire,
      (closed) => this.#sessions.delete(closed),
    );
    this.#sessions.add(session);
    return await applyOptions(session, options);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
  }

  /** Logs in; with `prefer` without TLS where the server has none. Gives what it was secured with. */
  async #logIn(
    action: string,
    tls: ConnectionOptions | false,
    options: SessionOptions,
  ): Promise<readonly [PgClient, ConnectionOptions | false]> {
    try {
      return [await logIn(this.place, tls, options), tls];
    } catch (thrown) {
      const hasNoTls = thrown instanceof Error && /does not support SSL/.test(thrown.message);
      if (!hasNoTls || this.place.tls.mode !== "prefer") throw loginFailure(action, thrown);
      if (!this.#hasWarned && !isLocal(this.place.host)) {
        this.#hasWarned = true;
        this.world.log("warn", "Server does not speak TLS, so the connection is not encrypted", {
          server: this.place.url,
        });
      }
    }
    try {
      return [await logIn(this.place, false, options), false];
    } catch (thrown) {
      throw loginFailure(action, thrown);
    }
  }
}

async function logIn(
  place: PostgresPlace,
  ssl: ConnectionOptions | false,
  options: SessionOptions,
): Promise<PgClient> {
  const { host, port, database, user, password, connectTimeoutMs, applicationName } = place;
  const client = new Client({
    ...{ host, port, database, user, ssl },
    // Never undefined: the library would look for a file of passwords then.
    password: password?.reveal() ?? Deno.env.get("PGPASSWORD") ?? "",
    application_name: options.applicationName ?? applicationName ?? "sluice",
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
  });
  // Later errors are told by the wire; without a listener they would end the process.
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch (thrown) {
    client.connection.stream.destroy();
    throw thrown;
  }
}

function loginFailure(action: string, thrown: unknown): SluiceError {
  const report = reportFrom(thrown);
  return report ? reportedFailure(action, report) : connectionFailure(action, thrown);
}

function isLocal(host: string): boolean {
  return host.startsWith("/") || host === "localhost" || host === "::1" || /^127\./.test(host);
}

/** Sends a cancel request; the server closes the connection when it has passed it on. */
async function cancelStatement(
  { host, port }: PostgresPlace,
  ssl: ConnectionOptions | false,
  { processID, secretKey }: PgClient,
): Promise<void> {
  // A server without keys, as some poolers are, has no way to cancel.
  if (processID === null || secretKey === null) return;
  const connection = new Connection({ ssl });
  const timer = setTimeout(() => {
    connection.stream.destroy(new Error("timeout expired"));
  }, cancelMs);
  try {
    await new Promise<void>((resolve, reject) => {
      const send = () => connection.cancel(processID, secretKey);
      connection.on("connect", () => ssl ? connection.requestSsl() : send());
      connection.on("sslconnect", send);
      connection.on("end", resolve);
      connection.on("error", reject);
      if (host.startsWith("/")) connection.connect(`${host}/.s.PGSQL.${port}`);
      else connection.connect(port, host);
    });
  } finally {
    clearTimeout(timer);
    connection.stream.destroy();
  }
}
