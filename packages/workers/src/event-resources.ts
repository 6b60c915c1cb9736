/** What keeps a thread's event loop busy beside Heddle itself: timers, sockets, files, ports of the program. */

const PORT = "MessagePort";
const IMMEDIATE = "Immediate";

export class EventResources {
  /** Ports that were there at first: the pool's and the machine's own. */
  private ports = 0;

  /** Notes what is there. To be called before anything of the program runs on the thread, when Heddle's own is set up. */
  note(): void {
    this.ports = count(process.getActiveResourcesInfo(), PORT);
  }

  /**
   * Whether something is pending that only a turn of the event loop can bring on. `immediates` are Heddle's own that are set. (One that runs is no longer listed.)
   */
  arePending(immediates: number): boolean {
    const active = process.getActiveResourcesInfo();
    const known = Math.min(count(active, PORT), this.ports) + Math.min(count(active, IMMEDIATE), immediates);
    return active.length > known;
  }
}

function count(resources: readonly string[], kind: string): number {
  let found = 0;
  for (const resource of resources) if (resource === kind) found++;
  return found;
}
