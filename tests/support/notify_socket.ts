import { fileURLToPath } from "node:url";
import { makeServerFolder, type ServerProcess, startProcess } from "./processes.ts";
import { eventually } from "./waiting.ts";

const program = fileURLToPath(new URL("notify_socket.py", import.meta.url));

/** Begins what we send ourselves, which no service would. */
const mark = "X_MARK=";

/** A datagram that systemd would have got. */
export interface Told {
  /** Seconds of a clock that only goes forward. */
  readonly at: number;
  /** Who sent it, as the kernel knows. */
  readonly pid: number;
  readonly text: string;
}

/** A stand-in for the socket of systemd that a service tells of itself by. */
export class NotifySocket implements AsyncDisposable {
  private constructor(
    readonly name: string,
    readonly folder: string,
    readonly process: ServerProcess,
  ) {}

  /** @param kind a socket in the file system, or one that has only a name. */
  static async start(kind: "file" | "abstract"): Promise<NotifySocket> {
    const folder = await makeServerFolder("notify");
    const name = kind === "file" ? `${folder}/notify` : `@sluice-test-${crypto.randomUUID()}`;
    const process = await startProcess({
      name: "notify",
      command: "python3",
      args: [program, name],
      folder,
    });
    const socket = new NotifySocket(name, folder, process);
    await eventually("the stand-in listens", async () => (await socket.#lines()).length > 0);
    return socket;
  }

  /** All that it was told so far. */
  async told(): Promise<Told[]> {
    return (await this.#everything()).filter(({ text }) => !text.startsWith(mark));
  }

  /** Waits until it has told of all that was sent to it before, by sending it something, too. */
  async settle(): Promise<void> {
    const text = mark + crypto.randomUUID();
    const path = `\0sluice-test-${crypto.randomUUID()}`;
    const socket = Deno.listenDatagram({ transport: "unixpacket", path });
    try {
      const to = { transport: "unixpacket", path: this.name.replace(/^@/, "\0") } as const;
      await socket.send(new TextEncoder().encode(text), to);
    } finally {
      socket.close();
    }
    await eventually(
      "what was sent to the stand-in",
      async () => (await this.#everything()).some((one) => one.text === text),
    );
  }

  /** The number of datagrams that hold this line. */
  async count(line: string): Promise<number> {
    return (await this.told()).filter(({ text }) => text.split("\n").includes(line)).length;
  }

  /** Waits until it was told a line that the pattern matches; gives its datagram. */
  async heard(pattern: RegExp): Promise<Told> {
    return await eventually(`a notification like ${pattern}`, async () => {
      const told = await this.told();
      return told.find(({ text }) => text.split("\n").some((line) => pattern.test(line)));
    });
  }

  async #everything(): Promise<Told[]> {
    return (await this.#lines()).slice(1).map((line) => JSON.parse(line) as Told);
  }

  async #lines(): Promise<string[]> {
    const text = await Deno.readTextFile(`${this.folder}/notify.log`).catch(() => "");
    // Behind the last line feed there is nothing, or what is being written.
    return text.split("\n").slice(0, -1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.stop();
    await Deno.remove(this.folder, { recursive: true });
  }
}
