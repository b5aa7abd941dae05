import { makeServerFolder, runCommand, type ServerProcess, startProcess } from "./processes.ts";
import { freeze } from "./freezing.ts";
import { freePort } from "./ports.ts";
import { statOf } from "./proc.ts";
import { delay, eventually } from "./waiting.ts";
import type { CertificateSet } from "./certificates.ts";
import {
  openTheWay,
  type PostgresPrograms,
  postgresPrograms,
  userWords,
} from "./postgres_programs.ts";

/** How a PostgreSQL is wanted. */
export interface PostgresOptions {
  /** The port to listen on; a free one without it. */
  readonly port?: number;
  /** The major version; the newest of the machine without it. */
  readonly version?: number;
  /** Takes TLS, too, and with `onlyTls` nothing else. */
  readonly ssl?: CertificateSet;
  readonly onlyTls?: boolean;
  /** Lines for postgresql.conf: `max_connections: "10"`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A real PostgreSQL, as an ordinary process on 127.0.0.1. */
export class PostgresServer implements AsyncDisposable {
  readonly user = "sluice";
  readonly password = "sluice-test-password";
  readonly database = "sluice";
  #process: ServerProcess | undefined;

  private constructor(
    readonly port: number,
    readonly folder: string,
    private readonly programs: PostgresPrograms,
    private readonly options: PostgresOptions,
  ) {}

  /** Makes a cluster with the database "sluice", starts it and waits until it answers. */
  static async start(options: PostgresOptions = {}): Promise<PostgresServer> {
    const programs = await postgresPrograms(options.version);
    const folder = await makeServerFolder("postgres");
    const server = new PostgresServer(options.port ?? freePort(), folder, programs, options);
    try {
      await server.#init();
      await server.#begin();
      await server.createDatabase(server.database);
    } catch (thrown) {
      await server.stop();
      throw thrown;
    }
    return server;
  }

  /** With the password. */
  get url(): string {
    return this.urlOf(this.database);
  }

  /** The URL of another database of this server, with the password. */
  urlOf(database: string): string {
    const path = encodeURIComponent(database);
    return `postgres://${this.user}:${this.password}@127.0.0.1:${this.port}/${path}`;
  }

  /** What psql and its like need to connect. */
  env(database = this.database): Record<string, string> {
    return {
      PGHOST: "127.0.0.1",
      PGPORT: String(this.port),
      PGUSER: this.user,
      PGPASSWORD: this.password,
      PGDATABASE: database,
    };
  }

  async createDatabase(name: string): Promise<void> {
    await this.psql(`CREATE DATABASE "${name.replaceAll('"', '""')}"`, "postgres");
  }

  /** Runs SQL by psql, the independent client; gives unaligned rows with `|` between their fields. */
  async psql(sql: string, database = this.database): Promise<string> {
    const words = [this.programs.psql, ..."-X -q -A -t -v ON_ERROR_STOP=1 -c".split(" "), sql];
    const { success, text } = await runCommand(words, { env: this.env(database) });
    if (!success) throw new Error(`psql cannot run ${sql}: ${text}`);
    return text.trimEnd();
  }

  /** Ends connections as an administrator does; the server's own message goes ahead of the end. */
  async terminateBackends(where = "true"): Promise<number> {
    const count = await this.psql(
      "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
        `WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND (${where})) t`,
    );
    return Number(count);
  }

  /** Sends the server a signal; after SIGKILL, SIGINT (fast stop) and SIGTERM waits for its end. */
  async kill(signal: Deno.Signal = "SIGKILL"): Promise<void> {
    const running = this.#running();
    running.signal(signal);
    if (!["SIGKILL", "SIGTERM", "SIGINT", "SIGQUIT"].includes(signal)) return;
    await running.ended;
    this.#process = undefined;
  }

  /** Kills the server and its backends at once, as a machine that fails does: nobody says farewell. */
  async crash(): Promise<void> {
    await this.pause();
    for (const pid of await childrenOf(this.#running().pid)) kill(pid, "SIGKILL");
    await this.kill("SIGKILL");
  }

  /** Freezes the server with all its backends: connections stay open and nothing is answered. */
  async pause(): Promise<void> {
    await this.#running().freeze(); // first: it makes no new backends then
    for (const pid of await childrenOf(this.#running().pid)) await freeze(pid);
  }

  async resume(): Promise<void> {
    for (const pid of await childrenOf(this.#running().pid)) kill(pid, "SIGCONT");
    this.#running().signal("SIGCONT");
  }

  /** Starts the server again on the same port and data, ending it first (fast stop) if it runs. */
  async restart(): Promise<void> {
    if (this.#process) await this.kill("SIGINT");
    await this.#begin();
  }

  /** Ends it and removes the data. */
  async stop(): Promise<void> {
    if (this.#process) {
      // The backends of a postmaster that is killed look up only once in a while: let it end them.
      const children = await childrenOf(this.#process.pid);
      this.#process.signal("SIGQUIT");
      this.#process.signal("SIGCONT");
      for (const pid of children) kill(pid, "SIGCONT");
      await this.#process.stop(60_000);
      this.#process = undefined;
    }
    await Deno.remove(this.folder, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #running(): ServerProcess {
    if (!this.#process) throw new Error("This PostgreSQL does not run now");
    return this.#process;
  }

  async #init(): Promise<void> {
    const { folder, programs: { initdb, account }, user, password, options: { ssl } } = this;
    await Deno.writeTextFile(`${folder}/password`, password);
    if (ssl) {
      await Deno.copyFile(ssl.serverCert, `${folder}/server.pem`);
      await Deno.copyFile(ssl.serverKey, `${folder}/server-key.pem`);
      await Deno.chmod(`${folder}/server-key.pem`, 0o600);
    }
    await openTheWay(folder, account);
    if (account) {
      const names = ["", "/password", ...(ssl ? ["/server.pem", "/server-key.pem"] : [])];
      for (const name of names) await Deno.chown(`${folder}${name}`, account.uid, account.gid);
    }
    const words = [
      ...[...userWords(account), initdb, "-D", `${folder}/data`, "-U", user, "--no-sync"],
      ...["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", `--pwfile=${folder}/password`],
    ];
    const { success, text } = await runCommand(words, { cwd: folder });
    if (!success) throw new Error(`Cannot make a PostgreSQL cluster: ${text}`);
    if (this.options.onlyTls) {
      const hba = "hostssl all all 127.0.0.1/32 scram-sha-256\n";
      await Deno.writeTextFile(`${folder}/data/pg_hba.conf`, hba);
    }
  }

  async #begin(): Promise<void> {
    const { folder, port, programs, options: { ssl, settings = {} } } = this;
    const all = {
      listen_addresses: "127.0.0.1",
      port: String(port),
      unix_socket_directories: folder,
      max_connections: "40",
      // No power fails here, and a killed process loses nothing that it has written.
      fsync: "off",
      ...(ssl
        ? {
          ssl: "on",
          ssl_cert_file: `${folder}/server.pem`,
          ssl_key_file: `${folder}/server-key.pem`,
        }
        : {}),
      ...settings,
    };
    const [command = "", ...args] = [
      ...[...userWords(programs.account), programs.postgres, "-D", `${folder}/data`],
      ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ];
    const deadline = performance.now() + 90_000;
    while (true) {
      const server = await startProcess({ name: "postgres", command, args, folder });
      this.#process = server;
      let hasEnded = false;
      server.ended.then(() => hasEnded = true);
      while (!hasEnded && performance.now() < deadline) {
        if (await this.#answers()) return;
        await delay(50);
      }
      // Backends of a killed postmaster may still hold its memory: then it does not start yet.
      const tail = await server.tail();
      const isHeld = hasEnded && /shared memory block|lock file/.test(tail);
      if (!isHeld || performance.now() > deadline) {
        throw new Error(`Cannot start PostgreSQL on port ${port}\n${tail}`);
      }
      await delay(200);
    }
  }

  async #answers(): Promise<boolean> {
    const { success } = await runCommand(
      [this.programs.psql, "-X", "-q", "-c", "SELECT 1", "postgres"],
      { env: { ...this.env("postgres"), PGCONNECT_TIMEOUT: "30" } },
    );
    return success;
  }
}

function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // It has ended in the meantime.
  }
}

/** The processes that this one has started, by /proc. */
async function childrenOf(parent: number): Promise<number[]> {
  const children: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const [, itsParent] = await statOf(name).catch(() => []);
    if (Number(itsParent) === parent) children.push(Number(name));
  }
  return children;
}

/** Starts a real PostgreSQL and waits until it answers. */
export function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  return PostgresServer.start(options);
}

/** Waits until a session with this name is in the midst of `pg_sleep`: what was before it is over. */
export async function untilAsleep(server: PostgresServer, applicationName: string): Promise<void> {
  await eventually(`${applicationName} sleeps`, async () => {
    const sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' " +
      `AND application_name = '${applicationName}'`;
    return await server.psql(sql) !== "0";
  });
}

/** Waits until nobody is: the server heeds a cancel a moment after it was sent. */
export async function untilNobodySleeps(server: PostgresServer): Promise<void> {
  const sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
  await eventually("nobody sleeps", async () => await server.psql(sql) === "0");
}

/** Waits until the server lists a session with this name that runs something. */
export async function untilActive(server: PostgresServer, applicationName: string): Promise<void> {
  await eventually(`${applicationName} runs something`, async () => {
    const sql = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' " +
      `AND application_name = '${applicationName}'`;
    return await server.psql(sql) !== "0";
  });
}
