import { fileURLToPath } from "node:url";
import { freePort } from "./ports.ts";
import { makeServerFolder, type ServerProcess, startProcess } from "./processes.ts";
import { eventually } from "./waiting.ts";

const program = fileURLToPath(new URL("statsd_program.ts", import.meta.url));

/** The real statsd on 127.0.0.1. It never flushes, so that its counters hold all that came. */
export class StatsdServer implements AsyncDisposable {
  private constructor(
    readonly port: number,
    private readonly adminPort: number,
    private readonly process: ServerProcess,
    private readonly folder: string,
  ) {}

  static async start(): Promise<StatsdServer> {
    const folder = await makeServerFolder("statsd");
    const [port, adminPort] = [freePort(), freePort()];
    const config = {
      ...{ port, address: "127.0.0.1", mgmt_port: adminPort, mgmt_address: "127.0.0.1" },
      ...{ backends: [], flushInterval: 3_600_000 },
    };
    await Deno.writeTextFile(`${folder}/config.js`, JSON.stringify(config));
    const process = await startProcess({
      name: "statsd",
      command: Deno.execPath(),
      args: ["run", "--allow-all", program, `${folder}/config.js`],
      folder,
    });
    const server = new StatsdServer(port, adminPort, process, folder);
    await eventually(
      "statsd answers",
      () => server.#ask("health").then(() => true, () => false),
    ).catch(async (thrown) => {
      throw new Error(await process.tail(), { cause: thrown });
    });
    return server;
  }

  counters(): Promise<Record<string, number>> {
    return this.#numbers("counters");
  }

  gauges(): Promise<Record<string, number>> {
    return this.#numbers("gauges");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.stop();
    await Deno.remove(this.folder, { recursive: true }).catch(() => {});
  }

  /** Its answer is written as people read it: `'sluice.n': 5,` line by line. */
  async #numbers(what: string): Promise<Record<string, number>> {
    const lines = (await this.#ask(what)).matchAll(/'?([\w.-]+)'?: (-?[\d.e+-]+)/g);
    return Object.fromEntries([...lines].map(([, name = "", value]) => [name, Number(value)]));
  }

  async #ask(command: string): Promise<string> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: this.adminPort });
    try {
      await conn.write(new TextEncoder().encode(`${command}\n`));
      const decoder = new TextDecoder();
      const bytes = new Uint8Array(65_536);
      let text = "";
      while (!/END\n|health: up/.test(text)) {
        const count = await conn.read(bytes);
        if (count === null) throw new Error(`statsd ended its answer to ${command}: ${text}`);
        text += decoder.decode(bytes.subarray(0, count), { stream: true });
      }
      return text;
    } finally {
      conn.close();
    }
  }
}
