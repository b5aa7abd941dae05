import pg from "pg";
import type { Duplex } from "node:stream";
import type { ConnectionOptions } from "node:tls";

/** What we give the library to connect with. */
export interface PgOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly application_name: string;
  readonly ssl: ConnectionOptions | false;
  readonly connectionTimeoutMillis: number;
  readonly keepAlive: boolean;
  readonly keepAliveInitialDelayMillis: number;
}

/** The part of the library's client that we use: to connect, secure and log in. */
export interface PgClient {
  readonly connection: { readonly stream: Duplex };
  /** What another connection cancels statements with. */
  readonly processID: number | null;
  readonly secretKey: number | null;
  connect(): Promise<unknown>;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** The part of the library's bare connection that we use: to send a cancel request. */
export interface PgConnection {
  connect(port: number, host: string): void;
  connect(socketPath: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
  end(): void;
  on(event: "connect" | "sslconnect" | "end", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  readonly stream: Duplex;
}

// The library brings no types.
const library = pg as unknown as {
  readonly Client: new (options: PgOptions) => PgClient;
  readonly Connection: new (
    options: { readonly ssl: ConnectionOptions | false },
  ) => PgConnection;
};

export const { Client, Connection } = library;
