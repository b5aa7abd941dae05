import { SluiceError } from "../../core/errors.ts";

/** The error of a socket that could not be opened, with what to try. */
export function listenError(where: string, thrown: unknown): SluiceError {
  const code = (thrown as { code?: string }).code;
  const told = (fault: "permanent" | "denied", detail: string) =>
    new SluiceError(`listen on ${where}`, fault, detail, { cause: thrown });
  if (thrown instanceof Deno.errors.AddrInUse || code === "EADDRINUSE") {
    return told(
      "permanent",
      "another program listens there already; stop it or choose another port",
    );
  }
  if (thrown instanceof Deno.errors.PermissionDenied || code === "EACCES") {
    return told(
      "denied",
      "this user may not; choose a port of 1024 or more, or grant CAP_NET_BIND_SERVICE",
    );
  }
  if (thrown instanceof Deno.errors.AddrNotAvailable || code === "EADDRNOTAVAIL") {
    return told("permanent", "this machine has no such address; 0.0.0.0 stands for all it has");
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
