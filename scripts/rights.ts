/**
 * What sluice may do, as Deno's flags: `deno task compile` bakes them into the program, and nothing
 * can widen them afterwards. It starts no other program and loads no native library and no code from
 * elsewhere; network, files and environment variables are what its commands are about.
 */
export const programRights: readonly string[] = [
  "--no-prompt",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  // The client for S3 names the system to the store, and looks for profiles in the home folder;
  // metrics are reported with the name of the host.
  // Google's looks at the network cards to tell whether the machine is one of Google's, which gives
  // credentials.
  "--allow-sys=osRelease,homedir,uid,hostname,networkInterfaces",
  "--deny-run",
  "--deny-ffi",
  "--deny-import",
];

/** What a program is built for; without any of it, for everything. */
export interface Purpose {
  /** The one command whose rights it gets. */
  readonly command?: string;
  /** The only hosts, HOST or HOST:PORT, and sockets, unix:/PATH, that it may listen on or speak to. */
  readonly hosts: readonly string[];
  /** The only folders that it may read and write in. */
  readonly folders: readonly string[];
}

const daemons = ["forward-syslog", "archive", "ingest", "replicate"];
/** These print, and nothing else. */
const readers = [
  "archive verify",
  "archive ls",
  "materialize",
  "baldr cat",
  "baldr check",
  "completion",
];
const withoutNet = ["baldr pack", "completion"];
const withoutSys = ["baldr pack"];
const googles = ["replicate", "materialize"];

/** Where systemd lays out passwords and our own configuration is. */
const daemonReads = ["/etc/sluice", "/run/credentials"];

/** The socket of systemd, and the one that we send from: see lib/clients/systemd.ts. */
function notifySockets(command: string | undefined): string[] {
  if (command === undefined || !daemons.includes(command)) return [];
  const folder = command === "forward-syslog" ? "sluice" : `sluice-${command}`;
  return ["/run/systemd/notify", `/run/${folder}/notify.sock`];
}

function sysOf(command: string | undefined): string[] {
  if (command === undefined || googles.includes(command)) {
    return programRights.filter((right) => right.startsWith("--allow-sys="));
  }
  if (command === "forward-syslog") return ["--allow-sys=hostname"];
  if (withoutSys.includes(command)) return [];
  return ["--allow-sys=osRelease,homedir,uid,hostname"];
}

/**
 * The least that a program needs for its purpose, as Deno's flags. Everybody may read the files that
 * are laid into the program.
 */
export function rightsFor({ command, hosts, folders }: Purpose): string[] {
  const isReader = command !== undefined && readers.includes(command);
  const hasNet = command === undefined || !withoutNet.includes(command);
  const sockets = notifySockets(command);
  const only = (right: string, given: readonly string[], own: readonly string[]) =>
    given.length === 0 ? right : `${right}=${[...new Set([...given, ...own])].join(",")}`;
  const reads = sockets.length === 0 ? [] : [...daemonReads, ...sockets];
  return [
    "--no-prompt",
    ...hasNet ? [only("--allow-net", hosts, sockets.map((path) => `unix:${path}`))] : [],
    only("--allow-read", folders, reads),
    ...isReader ? [] : [only("--allow-write", folders, sockets)],
    "--allow-env",
    ...sysOf(command),
    ...programRights.filter((right) => right.startsWith("--deny-")),
  ];
}
