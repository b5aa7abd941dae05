/** The two stages in which a command is stopped. */
export interface Stop {
  /** Aborted by the first SIGTERM or SIGINT. */
  readonly drain: AbortSignal;
  /** Aborted by the second; by the first when there is one stage only. */
  readonly abort: AbortSignal;
  /** Gives the signals back to the system. */
  close(): void;
}

/** Listens for SIGTERM and SIGINT. */
export function onStop({ stages }: { readonly stages: 1 | 2 }): Stop {
  const drain = new AbortController();
  const abort = new AbortController();
  const onSignal = () => {
    if (drain.signal.aborted || stages === 1) abort.abort();
    drain.abort();
  };
  const close = [onSignalOf("SIGTERM", onSignal), onSignalOf("SIGINT", onSignal)];
  return {
    drain: drain.signal,
    abort: abort.signal,
    close: () => close.forEach((one) => one()),
  };
}

/** Calls `act` at each signal of this name; the function returned ends that. */
export function onSignalOf(name: Deno.Signal, act: () => void): () => void {
  Deno.addSignalListener(name, act);
  return () => Deno.removeSignalListener(name, act);
}
