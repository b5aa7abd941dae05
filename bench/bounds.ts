// deno-lint-ignore-file no-console -- a benchmark speaks to a person
/** Tells which bounds do not hold; when there are any, the benchmark exits 1. */
export function tellBroken(broken: readonly string[]): void {
  for (const one of broken) console.error(`Bound broken: ${one}`);
  if (broken.length > 0) Deno.exitCode = 1;
}
