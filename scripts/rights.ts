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
