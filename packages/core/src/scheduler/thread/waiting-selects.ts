/**
 * The selects of a thread that wait: where their waiters are, written down where others can read it (see holdings.ts).
 *
 * The waiters of a select are a block of the slab that the select's JavaScript alone knows, and a value that one of them was given or still has to send is known by that waiter alone. Should the thread die, both are found here.
 */

/** A select, as far as the list knows it. */
export interface WaitingSelect {
  /** Where it stands in the list, -1 for nowhere. */
  place: number;
}

/** Beyond the most cases of a select. An entry is a whole number: block times this plus cases. */
const CASES = 2 ** 17;

export class WaitingSelects {
  private readonly selects: WaitingSelect[] = [];
  private readonly written: Float64Array;

  constructor(written: Float64Array) {
    this.written = written;
  }

  /** Before its first waiter is queued. From now on what the waiters have is theirs: whoever takes a value from one says so there first. */
  add(select: WaitingSelect, block: number, cases: number): void {
    select.place = this.selects.length;
    this.selects.push(select);
    this.written[select.place] = block * CASES + cases;
  }

  /** Before its block is given back. The last one takes its place: should the thread die in between, that one is lost, and none stands here twice. */
  remove(select: WaitingSelect): void {
    const { selects, written } = this;
    const { place } = select;
    select.place = -1;
    const last = selects.pop() as WaitingSelect;
    const entry = written[selects.length];
    written[selects.length] = 0;
    if (last === select) return;
    written[place] = entry;
    selects[place] = last;
    last.place = place;
  }
}

/** Where the waiters of an entry are, and how many there are. */
export function waitersOf(entry: number): { readonly block: number; readonly cases: number } {
  return { block: Math.floor(entry / CASES), cases: entry % CASES };
}
