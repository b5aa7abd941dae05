import { usageError } from "../core/errors.ts";
import { redactUrl } from "../core/secret.ts";

/**
 * Headers of every request: a connection for each. On one that is kept Deno sends a request again by
 * itself when the other side cuts it, or does not hear of the cut at all: neither may happen to us unseen.
 */
export const oneConnectionEach = { Connection: "close" };

/**
 * Where one of Google's services is: the text as a URL, without a `/` at its end; a HOST:PORT, as the
 * variables for emulators have it, speaks HTTP.
 *
 * @param options.hasCredentials whether access tokens will be sent there.
 * @throws {SluiceError} `usage` for what is no URL, holds a password, or would carry tokens in clear
 *   text to another machine.
 */
export function googleEndpoint(
  text: string,
  { service, hasCredentials }: { readonly service: string; readonly hasCredentials: boolean },
): string {
  const action = `use the endpoint ${redactUrl(text)} for ${service}`;
  const full = text.includes("://") ? text : `http://${text}`;
  const url = /^https?:/.test(full) && URL.canParse(full) ? new URL(full) : undefined;
  if (!url || url.username !== "" || url.password !== "") {
    throw usageError(action, "give it as http://HOST:PORT, without a password");
  }
  if (hasCredentials && url.protocol === "http:" && !isThisMachine(url.hostname)) {
    throw usageError(action, "access tokens must not go there in clear text; give it as https://");
  }
  return full.replace(/\/+$/, "");
}

function isThisMachine(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
