/**
 * For how long this thread has had a processor, milliseconds: of two looks the difference is the work
 * between them, whatever else the machine had to do. Each test file is a thread of its own.
 */
export function workedMs(): number {
  const [nanoseconds] = Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ");
  return Number(nanoseconds) / 1e6;
}
