import type { Report } from "./report.ts";

/** One server that reports are sent to. */
export interface Outlet {
  /** What it is called in the log and in metrics: "riemann". */
  readonly name: string;
  /**
   * Sends one report, in small pieces so that the data path gets its turns between them. The same
   * report may be tried again after a failure.
   *
   * @throws {SluiceError} `transient` when the server cannot be reached or does not take it.
   */
  send(report: Report, signal: AbortSignal): Promise<void>;
  /** Connects and asks, for `--check`. @throws {SluiceError} as {@linkcode send} does. */
  check(): Promise<void>;
  close(): void;
}
