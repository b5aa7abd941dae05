/** Clock ticks a second in proc(5): fixed at 100 on Linux (getconf CLK_TCK). */
const ticksPerSecond = 100;

/**
 * What the kernel tells of a process, or of a thread `PID/task/TID`: the fields of its stat, proc(5),
 * from the state on. Those before are its number and its name, which may hold anything.
 *
 * @throws {Deno.errors.NotFound} when it is no more.
 */
export async function statOf(process: number | string): Promise<string[]> {
  const stat = await Deno.readTextFile(`/proc/${process}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** For how long it has had a processor so far, in its own code and in the kernel's, seconds. */
export async function cpuSecondsOf(process: number | string): Promise<number> {
  const [user, system] = (await statOf(process)).slice(11, 13);
  return (Number(user) + Number(system)) / ticksPerSecond;
}

/**
 * For how long this thread has had a processor, milliseconds: of two looks the difference is the work
 * between them, whatever else the machine had to do. Each test file is a thread of its own.
 */
export function workedMs(): number {
  const [nanoseconds] = Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ");
  return Number(nanoseconds) / 1e6;
}

/**
 * The most memory that a process has had resident so far, bytes.
 *
 * @throws {Error} when it has ended.
 */
export async function residentPeakOf(process: number | "self"): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${process}/status`);
  const kb = /VmHWM:\s+(\d+) kB/.exec(status)?.[1];
  if (kb === undefined) throw new Error(`Process ${process} has ended and holds no memory`);
  return Number(kb) * 1024;
}
