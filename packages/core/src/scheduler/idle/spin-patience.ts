/**
 * How long a thread looks for what another brings before it sleeps: a machine that could only be given work by the host, and a host that waits for results.
 *
 * The problem: where the two share a core, because there is only one or because other programs have the rest, neither can run while the other looks. A host that awaits one task after the other would wait for a whole
 * search of the machine's, and the machine for the end of the host's polling: 60 to 310 µs a task instead of 20 to 40. No thread can ask whether it shares its core. But there looking is always in vain, and on cores of their
 * own it hardly ever is while short tasks come one after the other.
 *
 * So after some times in vain a thread looks only briefly, and sleeps. Now and then it has all its patience once more: the first success brings it back. What a brief look finds counts for nothing: it would be found without
 * any patience, and on a shared core, too, when the system happens to switch to the other thread at once.
 */

/** Times in vain after which the next is cut short. A guess: what takes long now and then must not end the patience. */
const IN_VAIN = 8;
/** One in so many times after those is a full one: a 16th of a machine's 50 µs is 3 µs a task, and on cores that are free again it takes 16 tasks to notice. A guess. */
const PROBE_EVERY = 16;

export class SpinPatience {
  /** Times since the last success. */
  private times = 0;

  /** A brief look has found nothing: whether the thread may go on looking. */
  mayGoOn(): boolean {
    return ++this.times <= IN_VAIN || this.times % PROBE_EVERY === 0;
  }

  /** It went on, and has found something in time. */
  succeeded(): void {
    this.times = 0;
  }
}
