/** What this machine is called, as its system says; "localhost" where it may not be asked. */
export function hostName(): string {
  try {
    return Deno.hostname();
  } catch {
    return "localhost";
  }
}
