import { type Fault, reasonOf, SluiceError } from "../../core/errors.ts";

/** What the system's error codes come to; all others are permanent and tell their own text. */
const verdicts: Readonly<Record<string, readonly [Fault, string]>> = {
  EACCES: ["denied", "this user may not; look at the rights of the folder"],
  EPERM: ["denied", "this user may not; look at the rights of the folder"],
  EROFS: ["denied", "the file system is mounted to be read only"],
  ENOSPC: ["transient", "no space is left on the disk; make room"],
  EDQUOT: ["transient", "this user's quota on the disk is used up; make room"],
  EMFILE: ["transient", "too many files are open in this process"],
  ENFILE: ["transient", "too many files are open on this machine"],
  // Network file systems and disks that fail for a moment.
  EIO: ["transient", "the disk gives an input/output error"],
  ESTALE: ["transient", "the file server has lost the file handle"],
  ETIMEDOUT: ["transient", "the file server does not answer"],
  EINTR: ["transient", "the call was interrupted"],
  ENOENT: ["transient", "a file or folder was removed in the meantime"],
  ENOTDIR: ["permanent", "a file is in the way of a folder of this key"],
  EISDIR: ["permanent", "a folder is in the way of this key"],
  ENAMETOOLONG: ["permanent", "a name in it is longer than this file system allows"],
};

/** Anything that the file system threw while `action` was tried, as an error of ours. */
export function folderError(action: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const [fault, detail] = verdicts[codeOf(thrown)] ?? ["permanent", reasonOf(thrown)];
  return new SluiceError(action, fault, detail, { cause: thrown });
}

/** The system's name of an error: "ENOENT"; empty when it has none. */
export function codeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return "";
  const { code } = thrown as { code?: unknown };
  if (typeof code === "string") return code;
  if (thrown instanceof Deno.errors.NotFound) return "ENOENT";
  if (thrown instanceof Deno.errors.AlreadyExists) return "EEXIST";
  return thrown instanceof Deno.errors.PermissionDenied ? "EACCES" : "";
}
