import { type Fault, faultOf } from "./errors.ts";

/** The exit codes of every command; each command's help ends with those it uses. */
export const Exit = {
  ok: 0,
  failed: 1,
  usage: 2,
  partial: 3,
  unreachable: 10,
  denied: 11,
  corrupt: 12,
  interrupted: 130,
} as const;

export type ExitCode = typeof Exit[keyof typeof Exit];

const codeOfFault: Record<Fault, ExitCode> = {
  usage: Exit.usage,
  transient: Exit.unreachable,
  denied: Exit.denied,
  corrupt: Exit.corrupt,
  permanent: Exit.failed,
};

/** The exit code for anything thrown: the only place where errors become numbers. */
export function exitCodeOf(thrown: unknown): ExitCode {
  return codeOfFault[faultOf(thrown)];
}
