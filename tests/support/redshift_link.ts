import { Buffer } from "node:buffer";
import {
  errorFields,
  errorMessage,
  RedshiftError,
  rowValues,
  textsOf,
  type WireMessage,
  wireMessage,
  WireReader,
  writeAll,
  zeroEnded,
} from "./redshift_wire.ts";

const cancelCode = 80877102;
const tlsCodes = [80877103, 80877104];

/** The two connections of a session: the client's, and the one to PostgreSQL. */
export class RedshiftLink {
  readonly #fromClient: WireReader;
  #backend: Deno.Conn | undefined;
  #fromBackend: WireReader | undefined;
  /** A message of the backend that was waited for and not needed yet. */
  #pending: Promise<WireMessage | null> | undefined;
  readonly #requests: WireMessage[] = [];
  #wake = () => {};
  #hasEnded = false;
  #isClosed = false;
  #out: Uint8Array[] = [];
  #outBytes = 0;
  /** Of the transaction, as ReadyForQuery tells it: I, T or E. */
  status = "I";
  processId = 0;

  constructor(private readonly client: Deno.Conn, private readonly backendPort: number) {
    this.#fromClient = new WireReader(client);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const one of [this.client, this.#backend]) {
      try {
        one?.close();
      } catch {
        // The other end was faster.
      }
    }
    this.#hasEnded = true;
    this.#wake();
  }

  /** Passes the log-in on to PostgreSQL; false when there is no session. TLS is not spoken. */
  async logIn(): Promise<boolean> {
    let first = await this.#fromClient.first();
    while (first && tlsCodes.includes(Buffer.from(first).readUInt32BE(4))) {
      await writeAll(this.client, Buffer.from("N"));
      first = await this.#fromClient.first();
    }
    if (!first) return false;
    this.#backend = await Deno.connect({ hostname: "127.0.0.1", port: this.backendPort });
    this.#fromBackend = new WireReader(this.#backend);
    await writeAll(this.#backend, first);
    if (Buffer.from(first).readUInt32BE(4) === cancelCode) {
      await this.#fromBackend.next();
      return false;
    }
    for (let message; (message = await this.nextAnswer());) {
      await this.send(message.bytes);
      const code = message.type === "R" ? Buffer.from(message.body).readUInt32BE(0) : 0;
      if (message.type === "E") await this.flush();
      if (message.type === "K") this.processId = Buffer.from(message.body).readUInt32BE(0);
      if (message.type === "Z") {
        await this.flush();
        this.#readClient();
        return true;
      }
      if (code === 0 || code === 12) continue;
      await this.flush();
      const answer = await this.#fromClient.next();
      if (!answer) return false;
      await this.toBackend(answer.bytes);
    }
    return false;
  }

  /** Reads on while a statement runs: a client that leaves ends the session at once. */
  async #readClient(): Promise<void> {
    for (let message; (message = await this.#fromClient.next());) {
      this.#requests.push(message);
      this.#wake();
    }
    this.close();
  }

  /** The client's next message; null at the end. What the server says meanwhile is passed on. */
  async nextRequest(): Promise<WireMessage | null> {
    while (true) {
      const message = this.#requests.shift();
      if (message) return message;
      if (this.#hasEnded) return null;
      const woken = new Promise<"woken">((resolve) => this.#wake = () => resolve("woken"));
      this.#pending ??= this.#read();
      const first = await Promise.race([woken, this.#pending]);
      if (first === "woken") continue;
      this.#pending = undefined;
      if (!first) return null;
      await this.send(first.bytes);
      await this.flush();
    }
  }

  /** The backend's next message. @returns null never: a session without backend is closed and thrown. */
  async nextAnswer(): Promise<WireMessage> {
    if (!this.#fromBackend?.hasWhole) await this.flush();
    const pending = this.#pending ?? this.#read();
    this.#pending = undefined;
    const message = await pending;
    if (message) return message;
    await this.flush().catch(() => {});
    this.close();
    throw new Error("The server has ended the connection");
  }

  async #read(): Promise<WireMessage | null> {
    const message = await this.#fromBackend?.next() ?? null;
    if (message?.type === "S" && textsOf(message.body)[0] === "server_version") {
      const body = zeroEnded("server_version", "8.0.2");
      return { type: "S", body, bytes: wireMessage("S", body) };
    }
    if (message?.type === "Z") this.status = String.fromCharCode(message.body[0] ?? 0);
    return message;
  }

  async toBackend(bytes: Uint8Array): Promise<void> {
    if (this.#backend) await writeAll(this.#backend, bytes);
  }

  /** For the client; goes out when much is there, or the backend has no more to say for now. */
  async send(bytes: Uint8Array): Promise<void> {
    this.#out.push(bytes);
    this.#outBytes += bytes.length;
    if (this.#outBytes > 64 * 1024) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#outBytes === 0) return;
    const bytes = Buffer.concat(this.#out);
    [this.#out, this.#outBytes] = [[], 0];
    await writeAll(this.client, bytes);
  }

  /** Tells the client that the next statement may come. */
  async ready(): Promise<void> {
    await this.send(wireMessage("Z", Buffer.from(this.status)));
    await this.flush();
  }

  /** Runs a statement for the client; gives the error that it was told, if any. */
  async forward(sql: string, isMerge: boolean): Promise<RedshiftError | undefined> {
    await this.toBackend(wireMessage("Q", zeroEnded(sql)));
    let error: RedshiftError | undefined;
    for (let message; (message = await this.nextAnswer()).type !== "Z";) {
      if (message.type === "E") {
        error = isMerge ? mergeError(message.body) : undefined;
        await this.send(error?.bytes ?? message.bytes);
        error ??= errorOf(message.body);
      } else await this.send(message.bytes);
    }
    return error;
  }

  /** Runs a statement out of the client's sight. @throws {RedshiftError} */
  async query(sql: string): Promise<(string | null)[][]> {
    await this.toBackend(wireMessage("Q", zeroEnded(sql)));
    const rows: (string | null)[][] = [];
    const error = await this.#answer((message) => {
      if (message.type === "D") rows.push(rowValues(message.body));
    });
    if (error) throw error;
    return rows;
  }

  /** @throws {RedshiftError} whose detail is the context. */
  async copyIn(sql: string, lines: readonly string[]): Promise<void> {
    await this.toBackend(wireMessage("Q", zeroEnded(sql)));
    let isAsked = false;
    while (!isAsked) {
      const message = await this.nextAnswer();
      if (message.type === "E") {
        await this.#answer(() => {});
        throw errorOf(message.body);
      }
      isAsked = message.type === "G";
    }
    // Nothing is read meanwhile: PostgreSQL says next to nothing before the end.
    for (let at = 0; at < lines.length; at += 1000) {
      const data = Buffer.from(lines.slice(at, at + 1000).join(""));
      await this.toBackend(wireMessage("d", data));
    }
    await this.toBackend(wireMessage("c"));
    const error = await this.#answer(() => {});
    if (error) throw error;
  }

  /** After an error of the stand-in's own: a transaction has failed then. */
  async abort(): Promise<void> {
    if (this.status !== "T") return;
    await this.query("SELECT 1/0").catch((thrown) => {
      if (!(thrown instanceof RedshiftError)) throw thrown;
    });
  }

  async #answer(see: (message: WireMessage) => void): Promise<RedshiftError | undefined> {
    let error: RedshiftError | undefined;
    for (let message; (message = await this.nextAnswer()).type !== "Z";) {
      if (message.type === "E") error = errorOf(message.body);
      else see(message);
    }
    return error;
  }
}

function errorOf(body: Uint8Array): RedshiftError {
  const fields = errorFields(body);
  return new RedshiftError(fields.get("M") ?? "", fields.get("C"), fields.get("W"));
}

/** The answer to a client when no session can be had. */
export function noSession(text: string): Uint8Array {
  return errorMessage(text, "57P03");
}

/** "Found multiple matches to update the same tuple" (MERGE, r_MERGE). */
function mergeError(body: Uint8Array): RedshiftError | undefined {
  if (errorFields(body).get("C") !== "21000") return undefined;
  return new RedshiftError("Found multiple matches to update the same tuple");
}
