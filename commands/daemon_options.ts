import { choice, duration, list, text, toggle } from "../lib/core/options.ts";

/** The options that every long-running command has. */
export const daemonOptions = {
  "http": text({
    placeholder: "HOST:PORT",
    help: "serve a status page, /metrics (Prometheus), /healthz and /readyz here",
  }),
  "riemann": text({
    placeholder: "URL",
    help: "report metrics to Riemann: tcp://HOST:5555 (acknowledged) or udp://HOST:5555",
  }),
  "statsd": text({
    placeholder: "URL",
    help: "report metrics to statsd: udp://HOST:8125",
  }),
  "statsd-format": choice(["plain", "dogstatsd"], {
    fallback: "plain",
    help: "labels become parts of the name, or tags as Datadog's agent reads them",
  }),
  "report-log": toggle({ help: "write metrics to the log, too, a line each time" }),
  "report-interval": duration({
    fallback: 10_000,
    least: 100,
    most: 3_600_000,
    help: "how often metrics are reported",
  }),
  "metrics-prefix": text({
    placeholder: "TEXT",
    fallback: "sluice.",
    help: "what the names of reported metrics begin with",
  }),
  "metrics-tags": list({
    placeholder: "TAG,...",
    help: "tags of all that is reported; NAME=VALUE is an attribute of Riemann's events",
  }),
  "metrics-host": text({
    placeholder: "NAME",
    help: "what this machine is called in events and on the status page (default: as it is)",
  }),
  "log-level": choice(["debug", "info", "warn", "error"], {
    fallback: "info",
    help: "the least severe lines to log; debug adds stack traces",
  }),
  "log-format": choice(["auto", "text", "json"], {
    fallback: "auto",
    help: "auto is text on a terminal and JSON lines otherwise",
  }),
  "config": text({
    placeholder: "FILE",
    help: "a YAML file with the same names as the flags; flag > environment > file > default",
  }),
  "check": toggle({
    help: "check the configuration and that everything named in it can be reached, then stop",
  }),
} as const;
