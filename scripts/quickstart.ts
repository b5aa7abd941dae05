// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * Starts a real Kafka and a real `sluice forward-syslog`, sends it a few thousand syslog lines, reads
 * them back and compares, archives them, loads the archive into a database and asks that, then stops
 * all that it started. `--keep` leaves it running until Ctrl-C.
 */
import { runSession, type Session } from "./session.ts";
import { byHand, showStop, showTour, type Tour } from "./tour.ts";

const usage = `Usage: ./scripts/quickstart [--keep]

Starts a real Kafka, forwards a few thousand syslog lines into it with the real command, shows what
arrived, archives it, loads the archive into a database, counts hits per host there, and stops
everything it started.

  --keep   leave it running until Ctrl-C and print the addresses
  --help   print this and stop`;

async function keepRunning(tour: Tour, session: Session): Promise<void> {
  console.log(await byHand(tour));
  const ended = tour.sluice.process.ended.then(() => false);
  if (!await Promise.race([session.untilStopped().then(() => true), ended])) {
    throw new Error(`sluice has ended by itself\n${await tour.sluice.process.tail()}`);
  }
  console.log();
}

const unknown = Deno.args.find((arg) => !["--keep", "--help", "-h"].includes(arg));
if (unknown !== undefined) {
  console.error(`quickstart: there is no option ${unknown}\n\n${usage}`);
  Deno.exit(2);
}
if (Deno.args.includes("--help") || Deno.args.includes("-h")) {
  console.log(usage);
  Deno.exit(0);
}
await runSession("quickstart", async (session) => {
  const tour = await showTour();
  if (Deno.args.includes("--keep")) await keepRunning(tour, session);
  await showStop(tour);
  console.log("All is well.");
  return 0;
});
