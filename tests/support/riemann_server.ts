import { fileURLToPath } from "node:url";
import { freePort } from "./ports.ts";
import { makeServerFolder, type ServerProcess, startProcess } from "./processes.ts";
import { eventually } from "./waiting.ts";

const program = fileURLToPath(new URL("riemann_server.py", import.meta.url));

/** An event as the independent decoder has read it, by the names of riemann.proto. */
export interface DecodedEvent {
  readonly by: "tcp" | "udp";
  /** Of the whole message that it came in. */
  readonly bytes: number;
  readonly time: number;
  readonly time_micros: number;
  readonly state: string;
  readonly service: string;
  readonly host: string;
  readonly description?: string;
  readonly ttl: number;
  readonly tags: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly metric_sint64?: number;
  readonly metric_d?: number;
  readonly metric_f?: number;
}

/** The number that an event carries. */
export function metricOf({ metric_sint64, metric_d, metric_f }: DecodedEvent): number | undefined {
  return metric_sint64 ?? metric_d ?? metric_f;
}

/** A stand-in for Riemann that decodes what it takes with a program of its own. */
export class RiemannServer implements AsyncDisposable {
  #process: ServerProcess | null = null;

  private constructor(readonly port: number, readonly folder: string) {}

  static async start(options: { readonly refuses?: boolean } = {}): Promise<RiemannServer> {
    const server = new RiemannServer(freePort(), await makeServerFolder("riemann"));
    await server.restart(options);
    return server;
  }

  /** Starts it again on the same port; what it took before stays known. */
  async restart(options: { readonly refuses?: boolean } = {}): Promise<void> {
    const starts = (await this.#lines()).filter((line) => line.includes(`"listening"`)).length;
    const how = options.refuses ? ["refuse"] : [];
    this.#process = await startProcess({
      name: "riemann",
      command: "python3",
      args: [program, String(this.port), ...how],
      folder: this.folder,
    });
    await eventually(
      "the stand-in for Riemann listens",
      async () =>
        (await this.#lines()).filter((line) => line.includes(`"listening"`)).length > starts,
    );
  }

  /** Everything that it has taken so far. */
  async events(): Promise<DecodedEvent[]> {
    const lines = await this.#lines();
    const odd = lines.find((line) => !line.startsWith("{"));
    if (odd !== undefined) throw new Error(`The decoder failed:\n${lines.join("\n").slice(-2000)}`);
    return lines.filter((line) => line.includes(`"service"`))
      .map((line) => JSON.parse(line) as DecodedEvent);
  }

  signal(which: Deno.Signal): void {
    this.#process?.signal(which);
  }

  /** SIGSTOP, and waits until it stands still. */
  async freeze(): Promise<void> {
    await this.#process?.freeze();
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
    this.#process = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.folder, { recursive: true }).catch(() => {});
  }

  /** Whole lines of its output. */
  async #lines(): Promise<string[]> {
    const text = await Deno.readTextFile(`${this.folder}/riemann.log`).catch(() => "");
    return text.split("\n").slice(0, -1);
  }
}
