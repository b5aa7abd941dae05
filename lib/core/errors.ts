import { redactText } from "./secret.ts";

/**
 * What is wrong with a failed act, as far as a retry is concerned:
 *
 * - `transient`: the other side may be back in a moment; the same act may be tried again.
 * - `permanent`: the same act will fail again; the unit of work has failed.
 * - `denied`: credentials or rights are missing; an operator has to act.
 * - `corrupt`: bytes are damaged or cut; what came before them is sound.
 * - `usage`: the person who started us asked for something that cannot be.
 */
export type Fault = "transient" | "permanent" | "denied" | "corrupt" | "usage";

/**
 * The one error class of sluice. `message` reads "Cannot {action}: {detail}"; retry and exit codes
 * look at {@linkcode fault} only, never at the text.
 */
export class SluiceError extends Error {
  override readonly name = "SluiceError";

  /** What was tried, in the infinitive: "read /etc/sluice.yaml". */
  readonly action: string;
  /** Why it failed, with the value, and what to try. */
  readonly detail: string;

  /** Passwords of URLs that were given where none is expected are taken out of both texts. */
  constructor(
    action: string,
    readonly fault: Fault,
    detail: string,
    options?: { cause?: unknown },
  ) {
    const [shownAction, shownDetail] = [redactText(action), redactText(detail)];
    super(`Cannot ${shownAction}: ${shownDetail}`, options);
    this.action = shownAction;
    this.detail = shownDetail;
  }
}

/** The text of anything thrown, without a stack trace. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof SluiceError) return thrown.message;
  if (thrown instanceof Error) return thrown.message || thrown.name;
  return String(thrown);
}

/** The fault kind of anything thrown; what is not ours is `permanent`, a defect until proven otherwise. */
export function faultOf(thrown: unknown): Fault {
  return thrown instanceof SluiceError ? thrown.fault : "permanent";
}

/** A usage error: exit code 2 and a line that names the value and what to do. */
export function usageError(action: string, detail: string, cause?: unknown): SluiceError {
  return new SluiceError(action, "usage", detail, { cause });
}
