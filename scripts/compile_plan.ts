import { parseArgs } from "node:util";
import { commands } from "../commands/mod.ts";
import { type Purpose, rightsFor } from "./rights.ts";

/** What `deno task compile` was asked to build. */
export interface CompilePlan extends Purpose {
  /** A system of Deno's list; absent: this one. */
  readonly target?: string;
  /** Where the program goes, from the checkout. */
  readonly output: string;
  readonly rights: readonly string[];
}

/** The systems that Deno has base binaries for, with what npm calls them. */
const systems: Readonly<Record<string, readonly [os: string, arch: string]>> = {
  "x86_64-unknown-linux-gnu": ["linux", "x64"],
  "aarch64-unknown-linux-gnu": ["linux", "arm64"],
  "x86_64-apple-darwin": ["darwin", "x64"],
  "aarch64-apple-darwin": ["darwin", "arm64"],
  "x86_64-pc-windows-msvc": ["win32", "x64"],
};

const targets = Object.keys(systems);

/** The options by which libraries are fetched for a system of the list. */
export function systemOf(target: string): string[] {
  const [os, arch] = systems[target] ?? [];
  return os === undefined || arch === undefined ? [] : ["--os", os, "--arch", arch];
}

export const usage = `deno task compile [--for COMMAND] [--hosts HOST:PORT,...] [--folders DIR,...]
                  [--target SYSTEM]

  --for COMMAND    with the rights of this one command: forward-syslog, "archive verify"
  --hosts LIST     only these hosts, ports and sockets may be listened on or spoken to: 0.0.0.0:1514,
                   kafka-1:9092, *.amazonaws.com:443, unix:/run/sluice/syslog.sock; every broker
                   that Kafka names has to be among them
  --folders LIST   only below these folders may be read and written: /var/archive, /tmp for --spool-dir;
                   of a daemon /etc/sluice and the credentials of systemd may be read besides
  --target SYSTEM  ${targets.join(",\n                   ")}`;

/**
 * Reads the arguments of `deno task compile`.
 *
 * @throws {Error} for what cannot be built, with what to give instead.
 */
export function compilePlanOf(args: readonly string[]): CompilePlan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      for: { type: "string" },
      hosts: { type: "string", multiple: true },
      folders: { type: "string", multiple: true },
      target: { type: "string" },
    },
  });
  const { for: command, target } = values;
  const known = commands.map(({ name }) => name);
  if (command !== undefined && !known.includes(command)) {
    throw new Error(`there is no command "${command}": give one of ${known.join(", ")}`);
  }
  if (target !== undefined && !targets.includes(target)) {
    throw new Error(`there is no base for "${target}": give one of ${targets.join(", ")}`);
  }
  const hosts = listOf(values.hosts);
  const folders = listOf(values.folders);
  const oddHost = hosts.find((host) => !/^(unix:\/.+|[\w.*:[\]-]+)$/.test(host));
  if (oddHost !== undefined) {
    throw new Error(`--hosts "${oddHost}" is none: give HOST, HOST:PORT or unix:/PATH`);
  }
  const oddFolder = folders.find((folder) => !/^(\/|[A-Za-z]:[\\/])/.test(folder));
  if (oddFolder !== undefined) {
    throw new Error(`--folders "${oddFolder}" depends on where it is started: give a whole path`);
  }
  const purpose = { ...command === undefined ? {} : { command }, hosts, folders };
  const name = ["sluice", ...command?.split(" ") ?? [], ...target === undefined ? [] : [target]];
  return {
    ...purpose,
    ...target === undefined ? {} : { target },
    output: `dist/${name.join("-")}${target?.includes("windows") ? ".exe" : ""}`,
    rights: rightsFor(purpose),
  };
}

function listOf(given: readonly string[] | undefined): string[] {
  const parts = (given ?? []).flatMap((list) => list.split(",")).map((part) => part.trim());
  if (parts.includes("")) throw new Error("one part of --hosts or --folders is empty");
  return parts;
}
