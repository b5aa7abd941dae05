import { reasonOf } from "../core/errors.ts";
import { visible } from "../core/visible.ts";
import { type Log, sleep } from "../core/world.ts";

/** What systemd has told the process in its environment (sd_notify(3), sd_watchdog_enabled(3)). */
export interface NotifyPlan {
  /** Where to write: a path, or `@` and the name of an abstract socket. */
  readonly socket: string;
  /** Without a sign of life for so long systemd ends the process; null: it does not watch. */
  readonly watchdogMs: number | null;
  /** The unit's RuntimeDirectory, where a socket of ours may lie. */
  readonly runtimeFolder: string | null;
}

/**
 * Whether and how systemd wants to be told of this process; null when it does not.
 *
 * @param pid the process that asks: the watchdog may be meant for another.
 */
export function notifyPlanOf(
  env: (name: string) => string | undefined,
  pid: number,
): NotifyPlan | null {
  const socket = env("NOTIFY_SOCKET") ?? "";
  // vsock: is for whole machines. What is neither a path nor abstract is of no use to us.
  if (!/^[/@]./.test(socket)) return null;
  const usec = env("WATCHDOG_USEC") ?? "";
  const isForUs = (env("WATCHDOG_PID") || String(pid)) === String(pid);
  return {
    socket,
    watchdogMs: isForUs && /^[1-9]\d{0,15}$/.test(usec) ? Number(usec) / 1_000 : null,
    runtimeFolder: env("RUNTIME_DIRECTORY")?.split(":")[0] || null,
  };
}

const statusCheckMs = 1_000;
/** systemd reads no more than 4 KiB of a datagram. */
const statusCharsMost = 500;
/** How long the last datagram may take when systemd does not read. */
const closeMs = 1_000;

/**
 * Tells systemd how the process is: ready, what it waits for, that it lives, that it stops.
 *
 * What is to be told waits in one place by its name, newest first: however long systemd does not read,
 * nothing piles up, and the work never waits for it. A failure to tell is logged, once until it works
 * again, and changes nothing else.
 */
export class SystemdNotifier {
  readonly #plan: NotifyPlan;
  readonly #log: Log;
  readonly #pending = new Map<string, string>();
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #socket: Deno.DatagramConn | null = null;
  #sending: Promise<void> | null = null;
  #status = "";
  #isStopping = false;
  #isMute = false;

  constructor(plan: NotifyPlan, log: Log) {
    this.#plan = plan;
    this.#log = log;
  }

  /**
   * READY=1; from now on STATUS= whenever it changes, and WATCHDOG=1 at half of the time that systemd
   * grants. The latter comes from a timer of the event loop: it ends when that hangs.
   *
   * @param notReady why no work is being done; empty when all is well.
   */
  begin(notReady: () => readonly string[]): void {
    const statusNow = () => notReady().join("; ") || "working";
    this.#tell({ READY: "1", STATUS: this.#statusOf(statusNow()) });
    this.#timers.push(setInterval(() => {
      const before = this.#status;
      if (this.#isStopping || this.#statusOf(statusNow()) === before) return;
      this.#tell({ STATUS: this.#status });
    }, statusCheckMs));
    const { watchdogMs } = this.#plan;
    if (watchdogMs === null) return;
    this.#tell({ WATCHDOG: "1" });
    this.#timers.push(setInterval(() => this.#tell({ WATCHDOG: "1" }), watchdogMs / 2));
  }

  /** STOPPING=1; the watchdog is fed on while what was begun is being finished. */
  stopping(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#tell({ STOPPING: "1", STATUS: "finishing what was begun" });
  }

  /** Ends it; what was told is on its way then. */
  async close(): Promise<void> {
    this.#timers.forEach((timer) => clearInterval(timer));
    if (this.#sending !== null) {
      const enough = new AbortController();
      await Promise.race([this.#sending, sleep(closeMs, enough.signal)]);
      enough.abort();
    }
    this.#socket?.close();
    this.#socket = null;
  }

  #statusOf(text: string): string {
    return this.#status = visible(text.replace(/\s+/g, " ").slice(0, statusCharsMost));
  }

  #tell(assignments: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(assignments)) this.#pending.set(name, value);
    this.#sending ??= this.#send().finally(() => this.#sending = null);
  }

  async #send(): Promise<void> {
    const { socket } = this.#plan;
    while (this.#pending.size > 0) {
      const lines = [...this.#pending].map(([name, value]) => `${name}=${value}`);
      this.#pending.clear();
      try {
        this.#socket ??= openSocket(this.#plan.runtimeFolder);
        await this.#socket.send(new TextEncoder().encode(lines.join("\n")), {
          transport: "unixpacket",
          path: socket.replace(/^@/, "\0"),
        });
        this.#isMute = false;
      } catch (thrown) {
        if (!this.#isMute) {
          this.#log("warn", "systemd cannot be told of this process", {
            socket,
            reason: reasonOf(thrown),
            hint: "use Type=exec and no WatchdogSec= in the unit if this stays so",
          });
        }
        this.#isMute = true;
      }
    }
  }
}

/**
 * A socket to send from. It needs a name, and an abstract one leaves no file. A program that was built
 * for some hosts only may not have that, but the one file in its own folder that it was built with.
 */
function openSocket(runtimeFolder: string | null): Deno.DatagramConn {
  const open = (path: string) => Deno.listenDatagram({ transport: "unixpacket", path });
  try {
    return open(`\0sluice-notify-${crypto.randomUUID()}`);
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotCapable) || runtimeFolder === null) throw thrown;
    const path = `${runtimeFolder}/notify.sock`;
    try {
      Deno.removeSync(path);
    } catch {
      // It is only there after a crash, and only where systemd has kept the folder.
    }
    return open(path);
  }
}
