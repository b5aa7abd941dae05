import { play } from "./model_run.ts";

const seeds = 1_000;
/** More than enough on most machines; the seeds that were played by then have to do. */
const mostMs = 10_000;
/** A model in which nothing happens proves nothing: on a slow machine there are so many in the end. */
const [objectsLeast, gapsLeast] = [100, 5];

Deno.test("every record is in exactly one object, whatever happens to its writers", async () => {
  // The same seeds each time, and some new ones: a seed that fails is played again by its number.
  const fresh = Math.floor(Math.random() * 2 ** 31);
  const begunMs = performance.now();
  let objects = 0;
  let gaps = 0;
  const isEnough = () =>
    objects >= objectsLeast && gaps >= gapsLeast && performance.now() - begunMs >= mostMs;
  for (let i = 1; i <= seeds && !isEnough(); i++) {
    const seed = i % 2 === 0 ? fresh + i : i;
    try {
      const { ledger } = await play(seed);
      objects += ledger.objects;
      gaps += ledger.gaps;
    } catch (thrown) {
      throw new Error(`seed ${seed}: ${thrown instanceof Error ? thrown.stack : thrown}`);
    }
  }
  if (objects < objectsLeast || gaps < gapsLeast) {
    throw new Error(`only ${objects} objects and ${gaps} gaps`);
  }
});
