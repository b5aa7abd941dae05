import { SluiceError } from "../../core/errors.ts";
import type { ListenUrl } from "../../formats/listen_url.ts";

/** The error of a socket that could not be opened, with what to try. */
export function listenError({ text, transport }: ListenUrl, thrown: unknown): SluiceError {
  const code = (thrown as { code?: string }).code;
  const isUnix = transport === "unix";
  const told = (fault: "permanent" | "denied", detail: string) =>
    new SluiceError(`listen on ${text}`, fault, detail, { cause: thrown });
  if (thrown instanceof Deno.errors.AddrInUse || code === "EADDRINUSE") {
    return told(
      "permanent",
      "another program listens there already; stop it or choose another " +
        (isUnix ? "path" : "port"),
    );
  }
  if (thrown instanceof Deno.errors.PermissionDenied || code === "EACCES") {
    return told(
      "denied",
      isUnix
        ? "this user may not make a socket there; choose another folder"
        : "this user may not; choose a port of 1024 or more, or grant CAP_NET_BIND_SERVICE",
    );
  }
  if (
    thrown instanceof Deno.errors.AddrNotAvailable || code === "EADDRNOTAVAIL" || code === "EINVAL"
  ) {
    return told("permanent", "this machine has no such address; 0.0.0.0 stands for all it has");
  }
  if (isUnix && thrown instanceof Deno.errors.NotFound) {
    return told("permanent", "there is no such folder");
  }
  return told("permanent", thrown instanceof Error ? thrown.message : String(thrown));
}

/** The error of a connection that broke while it was used. */
export function brokenError(
  peer: string,
  act: "read from" | "write to",
  thrown: unknown,
): SluiceError {
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new SluiceError(`${act} ${peer}`, "transient", detail, { cause: thrown });
}
