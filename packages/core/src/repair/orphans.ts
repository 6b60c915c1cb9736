/**
 * What should stand somewhere and stands nowhere. To be asked only while all machines are held at safe points (scheduler/idle/world-stop.ts): then whoever could have it in hand has nothing in hand, so the dead thread had it.
 *
 * - A goroutine that has not begun and is on no list: popped, stolen, spilled or created, and not yet started or queued. It goes to the global queue.
 * - One that waits, and is in the queue of nobody: taken off a queue, served, and not made ready. It is made ready.
 *
 * That this is all there can be follows from what moves goroutines: lists of those that have not begun (rings, slots, the global queue, an ErrGroup's pending members, those that wait for a module), and queues of those that
 * wait (wait queues, joiners, sleepers' timers, inboxes). Whatever list a goroutine was moved between, it is now in one of them, lives on a machine that knows it, or is an orphan.
 */

import { ERR_GROUP_KIND } from "../context/err-group.ts";
import { newestJoiner, nextJoiner } from "../goroutine/completion.ts";
import { PSEUDO } from "../goroutine/descriptor.ts";
import { IDLE, RUNNABLE, RUNNING, WAITING } from "../goroutine/status.ts";
import {
  REASON_AWAIT,
  REASON_IO_WAIT,
  REASON_JOIN,
  REASON_JOIN_BELOW,
  REASON_SELECT,
  REASON_SELECT_NO_CASES,
  REASON_SLEEP,
} from "../goroutine/wait-reason.ts";
import {
  E_PENDING,
  G_FRAME,
  G_MACHINE,
  G_META,
  G_NEXT,
  G_SELECT,
  G_STATUS,
  G_WAIT_REASON,
  G_WAITER,
  GLOBAL_HEAD,
  H_RING_SIZE,
  M_INBOX,
  M_WORDS,
  P_HEAD,
  P_RING,
  P_RUNNEXT,
  P_TAIL,
  P_WORDS,
  POOL_BUMP,
  POOL_TIMER,
  POOL_WORDS,
  T_HEAP,
  T_KIND,
  T_TARGET,
  W_QUEUED,
} from "../memory/layout.ts";
import type { HostThread } from "../scheduler/thread/host.ts";
import { TIMER_READY } from "../scheduler/thread/timers.ts";
import { forEachUsed } from "./lost-goroutines.ts";
import { forEachObject } from "./queues.ts";

/** Finds and re-homes orphans. */
export class Orphans {
  private readonly host: HostThread;
  /** Machines whose threads have died. */
  private readonly dead: ReadonlySet<number>;
  /** On a list of those that have not begun. */
  private readonly listed = new Set<number>();
  /** In an inbox. */
  private readonly posted = new Set<number>();
  /** In a list of joiners. */
  private readonly joining = new Set<number>();
  /** Their timers will make them ready. */
  private readonly sleeping = new Set<number>();

  constructor(host: HostThread, dead: ReadonlySet<number>) {
    this.host = host;
    this.dead = dead;
  }

  /** Puts every orphan where it belongs. */
  rehome(): void {
    this.lookThroughLists();
    this.lookThroughInboxes();
    this.lookThroughTimers();
    forEachUsed(this.host, (base) => this.lookThroughJoiners(base));
    forEachUsed(this.host, (base, goroutine) => {
      if (this.isUnlisted(base, goroutine)) this.list(base, goroutine);
      else if (this.isForgotten(base, goroutine)) this.host.ready(goroutine);
    });
  }

  // ── not begun ──

  private isUnlisted(base: number, goroutine: number): boolean {
    const { i32 } = this.host;
    const status = i32[base + G_STATUS];
    if (status !== RUNNABLE && status !== RUNNING) return false;
    if (i32[base + G_MACHINE] !== 0 || (i32[base + G_META] & PSEUDO) !== 0) return false;
    const keeper = i32[base + G_FRAME];
    const kept = keeper !== 0 && !this.dead.has(keeper - 1);
    return !kept && !this.listed.has(goroutine);
  }

  private list(base: number, goroutine: number): void {
    const { host } = this;
    host.i32[base + G_STATUS] = RUNNABLE;
    host.i32[base + G_FRAME] = 0;
    host.globalQueue.push(goroutine);
  }

  private lookThroughLists(): void {
    const { host } = this;
    const { i32, memory } = host;
    this.follow(i32[GLOBAL_HEAD], this.listed);
    for (let p = 0; p < memory.shape.procs; p++) this.lookThroughRing(memory.layout.processors + p * P_WORDS);
    forEachObject(host, (base, kind) => {
      if (kind === ERR_GROUP_KIND) this.follow(i32[base + E_PENDING], this.listed);
    });
  }

  private lookThroughRing(processor: number): void {
    const { i32 } = this.host;
    const mask = i32[H_RING_SIZE] - 1;
    const tail = i32[processor + P_TAIL];
    for (let at = i32[processor + P_HEAD]; at !== tail; at = (at + 1) | 0)
      this.listed.add(i32[processor + P_RING + (at & mask)]);
    if (i32[processor + P_RUNNEXT] !== 0) this.listed.add(i32[processor + P_RUNNEXT]);
  }

  /** Adds a list that is linked through G_NEXT. */
  private follow(first: number, found: Set<number>): void {
    const { host } = this;
    for (let at = first; at !== 0; at = host.i32[host.descriptorOf(at) + G_NEXT]) found.add(at);
  }

  // ── waiting ──

  private isForgotten(base: number, goroutine: number): boolean {
    const { i32 } = this.host;
    if (i32[base + G_STATUS] !== WAITING || this.posted.has(goroutine)) return false;
    if (this.dead.has(i32[base + G_MACHINE] - 1)) return false;
    switch (i32[base + G_WAIT_REASON]) {
      case REASON_AWAIT:
      case REASON_IO_WAIT:
      case REASON_SELECT_NO_CASES:
      case REASON_JOIN_BELOW:
        return false;
      case REASON_JOIN:
        return !this.joining.has(goroutine);
      case REASON_SLEEP:
        return !this.sleeping.has(goroutine);
      case REASON_SELECT:
        return i32[base + G_SELECT] !== 0;
      default:
        return i32[base + G_WAITER + W_QUEUED] === 0;
    }
  }

  private lookThroughInboxes(): void {
    const { i32, memory } = this.host;
    for (let m = 0; m <= memory.shape.maxMachines; m++) {
      if (!this.dead.has(m)) this.follow(i32[memory.layout.machines + m * M_WORDS + M_INBOX], this.posted);
    }
  }

  private lookThroughTimers(): void {
    const { host } = this;
    const { i32, memory, timers } = host;
    const end = i32[memory.layout.pools + POOL_TIMER * POOL_WORDS + POOL_BUMP];
    for (let timer = 1; timer < end; timer++) {
      const base = timers.baseOf(timer);
      if (i32[base + T_HEAP] !== 0 && i32[base + T_KIND] === TIMER_READY)
        this.sleeping.add(i32[base + T_TARGET]);
    }
  }

  private lookThroughJoiners(base: number): void {
    const { host } = this;
    const { i32 } = host;
    if ((i32[base + G_META] & PSEUDO) !== 0 || i32[base + G_STATUS] === IDLE) return;
    for (let at = newestJoiner(i32, base); at !== 0; at = nextJoiner(i32, host.descriptorOf(at)))
      this.joining.add(at);
  }
}
