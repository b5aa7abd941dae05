import { reasonOf } from "../lib/core/errors.ts";
import { redactText } from "../lib/core/secret.ts";
import { visible } from "../lib/core/visible.ts";

/** The line on standard error that tells a person why a command failed; the stack trace is in the log. */
export function complaintOf(thrown: unknown): string {
  return `sluice: ${visible(redactText(reasonOf(thrown)).replace(/\s*\n\s*/g, " "))}`;
}
