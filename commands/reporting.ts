import { hostName } from "../lib/clients/host_name.ts";
import {
  checkReporters,
  parsePlace,
  type ReporterSettings,
} from "../lib/clients/reporters/reporters.ts";
import { usageError } from "../lib/core/errors.ts";
import type { ValuesOf } from "../lib/core/options.ts";
import type { daemonOptions } from "./daemon_options.ts";

/** The values of the options that every daemon has. */
export type DaemonValues = ValuesOf<typeof daemonOptions>;

/**
 * Whom metrics are reported to, free of contradictions.
 *
 * @throws {SluiceError} `usage` for an option that is wrong, or that would change nothing.
 */
export function reporterSettingsOf(values: DaemonValues): ReporterSettings {
  const { riemann, statsd, "statsd-format": statsdForm, "metrics-prefix": prefix } = values;
  const tags = values["metrics-tags"];
  if (/[^\w.:\/-]/.test(prefix) || prefix.length > 100) {
    throw usageError(
      `use --metrics-prefix "${prefix.slice(0, 100)}"`,
      "give at most 100 letters, digits and . _ - : /",
    );
  }
  const odd = tags.find((tag) => /[\s|#,@\p{Cc}]/u.test(tag) || /^=|=$/.test(tag));
  if (odd !== undefined) {
    throw usageError(`use --metrics-tags "${odd}"`, "give words, or NAME=VALUE, without spaces");
  }
  if (statsd === undefined && statsdForm === "dogstatsd") {
    throw usageError("use --statsd-format dogstatsd", "give --statsd too");
  }
  if (tags.length > 0 && riemann === undefined && statsdForm === "plain") {
    throw usageError(
      `use --metrics-tags "${tags.join(",")}"`,
      "plain statsd knows no tags: give --statsd-format dogstatsd, or --riemann",
    );
  }
  return {
    riemann: riemann === undefined ? null : parsePlace("riemann", riemann),
    statsd: statsd === undefined ? null : parsePlace("statsd", statsd),
    ...{ statsdForm, prefix, tags },
    toLog: values["report-log"],
    host: values["metrics-host"] ?? hostName(),
    intervalMs: values["report-interval"],
  };
}

/** `--check`: whether metrics can be reported. @throws {SluiceError} when they cannot. */
export async function checkReporting(values: DaemonValues): Promise<void> {
  await checkReporters(reporterSettingsOf(values));
}
