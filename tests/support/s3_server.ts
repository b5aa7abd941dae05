import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { freePort } from "./ports.ts";
import { makeServerFolder, type ServerProcess, startProcess } from "./processes.ts";
import { versitygwPath } from "./s3_artifacts.ts";
import { s3ClientOf } from "./s3_client.ts";
import { delay } from "./waiting.ts";

/** How an S3 server is wanted. */
export interface S3ServerOptions {
  /** The port to listen on; a free one without it. */
  readonly port?: number;
}

/** A real server that speaks S3 (versitygw), as an ordinary process on 127.0.0.1. */
export class S3Server implements AsyncDisposable {
  readonly accessKey = "SLUICETESTKEY";
  readonly secretKey = "sluice-test-secret";
  readonly region = "us-east-1";
  #process: ServerProcess | undefined;

  private constructor(readonly port: number, readonly folder: string) {}

  /** Starts a server without buckets and waits until it answers. */
  static async start(options: S3ServerOptions): Promise<S3Server> {
    const folder = await makeServerFolder("s3");
    const server = new S3Server(options.port ?? freePort(), folder);
    try {
      for (const name of ["data", "notes"]) await Deno.mkdir(`${folder}/${name}`);
      await server.#begin();
    } catch (thrown) {
      await server.stop();
      throw thrown;
    }
    return server;
  }

  /** The URL to give as endpoint. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Credentials, and nothing of this machine's own, for a process that uses the server. */
  env(): Record<string, string> {
    return {
      AWS_ACCESS_KEY_ID: this.accessKey,
      AWS_SECRET_ACCESS_KEY: this.secretKey,
      AWS_REGION: this.region,
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: `${this.folder}/no-config`,
      AWS_SHARED_CREDENTIALS_FILE: `${this.folder}/no-credentials`,
    };
  }

  /** @param name of three letters at least. */
  async createBucket(name: string): Promise<void> {
    const client = s3ClientOf(this);
    try {
      await client.send(new CreateBucketCommand({ Bucket: name }));
    } finally {
      client.destroy();
    }
  }

  /** Sends the server a signal; after SIGKILL and SIGTERM waits for its end. */
  async kill(signal: Deno.Signal = "SIGKILL"): Promise<void> {
    const running = this.#running();
    running.signal(signal);
    if (signal !== "SIGKILL" && signal !== "SIGTERM") return;
    await running.ended;
    this.#process = undefined;
  }

  /** Freezes the server: connections stay open and nothing is answered. */
  async pause(): Promise<void> {
    await this.#running().freeze();
  }

  resume(): void {
    this.#running().signal("SIGCONT");
  }

  /** Starts the server again on the same port and data, ending it first if it runs. */
  async restart(): Promise<void> {
    if (this.#process) await this.kill("SIGTERM");
    await this.#begin();
  }

  /** Ends it and removes the data. */
  async stop(): Promise<void> {
    this.#process?.signal("SIGKILL");
    await this.#process?.ended;
    this.#process = undefined;
    await Deno.remove(this.folder, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #running(): ServerProcess {
    if (!this.#process) throw new Error("This S3 server does not run now");
    return this.#process;
  }

  async #begin(): Promise<void> {
    const server = await startProcess({
      name: "s3",
      command: await versitygwPath(),
      args: [
        ...["--port", `127.0.0.1:${this.port}`, "--region", this.region, "--keep-alive", "--quiet"],
        // Notes in files: not each file system has attributes for users.
        ...["posix", "--sidecar", `${this.folder}/notes`, `${this.folder}/data`],
      ],
      folder: this.folder,
      env: { ROOT_ACCESS_KEY: this.accessKey, ROOT_SECRET_KEY: this.secretKey },
    });
    this.#process = server;
    let hasEnded = false;
    server.ended.then(() => hasEnded = true);
    const deadline = performance.now() + 90_000;
    while (!await this.#answers()) {
      if (!hasEnded && performance.now() < deadline) {
        await delay(50);
        continue;
      }
      const why = hasEnded ? "it has ended" : "no answer for 90 s";
      throw new Error(`Cannot start S3 on ${this.endpoint}: ${why}\n${await server.tail()}`);
    }
  }

  /** Any answer will do: without credentials it is a refusal. */
  async #answers(): Promise<boolean> {
    try {
      await (await fetch(this.endpoint)).body?.cancel();
      return true;
    } catch {
      return false; // not yet: the caller knows how long it may take
    }
  }
}

/** Starts a real S3 server and waits until it answers. */
export function startS3(options: S3ServerOptions = {}): Promise<S3Server> {
  return S3Server.start(options);
}
