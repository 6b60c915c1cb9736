/**
 * How long a machine looks for work before it sleeps, when nobody but the host could bring any.
 *
 * The problem: where host and machine share a core, because there is only one or because other programs have the rest, the host cannot run before the machine sleeps. Each task that the host
 * awaits alone would then take a whole search longer, 60 µs instead of 20. No thread can ask whether it shares its core. But there every search is in vain, and on cores of their own hardly any is while tasks
 * come one after the other.
 *
 * So after some searches in vain a machine looks only once, and sleeps. Now and then it searches in full all the same: the first success brings the patience back.
 */

/** Searches in vain after which the next is cut short. A guess: an answer that comes now and then must not end it. */
const IN_VAIN = 8;
/** One in so many of the searches after those is a full one: a 16th of 50 µs is 3 µs a task, and on cores that are free again it takes 16 tasks to notice. A guess. */
const PROBE_EVERY = 16;

export class SearchPatience {
  /** Searches since the last that succeeded. */
  private searches = 0;

  /** A search begins: whether it may go on beyond a first look. */
  mayGoOn(): boolean {
    return ++this.searches <= IN_VAIN || this.searches % PROBE_EVERY === 0;
  }

  /** The search that began last found something. */
  searchSucceeded(): void {
    this.searches = 0;
  }
}
