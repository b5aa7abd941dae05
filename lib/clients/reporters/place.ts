import { usageError } from "../../core/errors.ts";
import { redactUrl } from "../../core/secret.ts";

/** Where reports go. */
export interface Place {
  readonly transport: "tcp" | "udp";
  readonly host: string;
  readonly port: number;
  /** The whole, with the port that is meant. */
  readonly text: string;
}

const kinds = {
  riemann: { transports: ["tcp", "udp"], port: 5555, example: "tcp://riemann.example.com:5555" },
  statsd: { transports: ["udp"], port: 8125, example: "udp://127.0.0.1:8125" },
} as const;

/**
 * Reads `tcp://HOST[:PORT]` or `udp://HOST[:PORT]`; without a port it is the usual one of the kind
 * of server.
 *
 * @throws {SluiceError} `usage` for anything else.
 */
export function parsePlace(kind: keyof typeof kinds, text: string): Place {
  const { transports, port: usualPort, example } = kinds[kind];
  const form = /^(tcp|udp):\/\/(\[[0-9a-fA-F:.]+\]|[^:\[\]\/?#@\s]+)(?::(\d{1,5}))?\/?$/;
  const [, transport, host = "", written] = form.exec(text) ?? [];
  const known = transports.find((one) => one === transport);
  const port = written === undefined ? usualPort : Number(written);
  if (known === undefined || port < 1 || port > 65_535) {
    throw usageError(
      `report to --${kind} "${redactUrl(text)}"`,
      `write ${transports.join(":// or ")}://HOST:PORT, for example ${example}`,
    );
  }
  return {
    transport: known,
    host: host.replace(/^\[|\]$/g, ""),
    port,
    text: `${known}://${host}:${port}`,
  };
}
