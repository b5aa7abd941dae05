import { choice, text, toggle } from "../lib/core/options.ts";

/** The options that every long-running command has. */
export const daemonOptions = {
  "http": text({
    placeholder: "HOST:PORT",
    help: "serve /metrics (Prometheus), /healthz and /readyz here",
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
