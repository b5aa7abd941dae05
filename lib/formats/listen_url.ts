import { usageError } from "../core/errors.ts";
import { redactUrl } from "../core/secret.ts";

/** Where and how to listen for syslog. */
export interface ListenUrl {
  readonly transport: "tcp" | "tls" | "unix" | "udp";
  readonly protocol: "syslog" | "relp";
  /** Empty for a Unix socket. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Of a Unix socket. */
  readonly path: string;
  /** The whole, with the port that is meant. */
  readonly text: string;
}

const schemes = {
  "tcp": { transport: "tcp", protocol: "syslog", port: 1514 },
  "tls": { transport: "tls", protocol: "syslog", port: 6514 },
  "relp": { transport: "tcp", protocol: "relp", port: 2514 },
  "relp+tls": { transport: "tls", protocol: "relp", port: 6515 },
  "udp": { transport: "udp", protocol: "syslog", port: 1514 },
} as const;

/**
 * Reads `tcp://HOST[:PORT]`, `tls://`, `relp://`, `relp+tls://`, `udp://` or `unix:///PATH`. Without
 * a port: tcp and udp 1514, tls 6514 (RFC 5425), relp 2514, relp+tls 6515.
 *
 * @throws {SluiceError} `usage` for anything else.
 */
export function parseListenUrl(text: string): ListenUrl {
  const [, scheme = "", rest = ""] = /^([a-z+]+):\/\/(.*)$/.exec(text) ?? [];
  if (scheme === "unix") return unixUrl(text, rest);
  if (!Object.hasOwn(schemes, scheme)) {
    throw refused(text, `it must begin with ${Object.keys(schemes).join("://, ")}:// or unix:///`);
  }
  const known = schemes[scheme as keyof typeof schemes];
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:\[\]\/?#@\s]+)(?::(\d{1,5}))?\/?$/.exec(rest);
  if (match === null) {
    throw refused(
      text,
      `write ${scheme}://HOST:PORT, for example ${scheme}://0.0.0.0:${known.port}`,
    );
  }
  const port = match[2] === undefined ? known.port : Number(match[2]);
  if (port > 65_535) throw refused(text, "a port is at most 65535");
  const host = match[1] ?? "";
  const { transport, protocol } = known;
  return {
    transport,
    protocol,
    host: host.replace(/^\[|\]$/g, ""),
    port,
    path: "",
    text: `${scheme}://${host}:${port}`,
  };
}

/** The URL with another port: the one that the system chose for port 0. */
export function withPort(url: ListenUrl, port: number): ListenUrl {
  return { ...url, port, text: url.text.replace(/:\d+$/, `:${port}`) };
}

function unixUrl(text: string, path: string): ListenUrl {
  if (!path.startsWith("/")) throw refused(text, "write unix:///PATH with three slashes");
  // sun_path of sockaddr_un holds 108 bytes with its closing NUL (unix(7)).
  if (new TextEncoder().encode(path).length > 107) {
    throw refused(text, "a socket's path has at most 107 bytes");
  }
  return { transport: "unix", protocol: "syslog", host: "", port: 0, path, text };
}

function refused(text: string, why: string) {
  return usageError(`listen on "${redactUrl(text)}"`, why);
}
