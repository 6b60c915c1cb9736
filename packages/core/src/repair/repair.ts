/**
 * What is done on the host when the thread of a machine has died.
 *
 * A thread may die between any two of its steps. What it leaves behind is of three kinds, each with a way of its own:
 *
 * 1. **Locks** that it held (locks.ts). Each names its holder, and while it is held nobody else touches what it guards: so that can be checked and put right in peace, and the lock released. Nobody who waits for it
 *    need know. This comes first: whoever waits for a lock does not come to a safe point.
 * 2. **What is known to be its own**: the goroutines whose frames lived there (lost-goroutines.ts), their places in queues (queues.ts), its processor, the timer that it was running (firings.ts). All of it is found in shared memory by its number, and taken care of
 *    at once (`machineLost`), while the other machines go on.
 * 3. **What it had in hand**: it stands nowhere, and is known by nobody. It is found by looking everywhere while all others are held at safe points (`sweep`, orphans.ts). This waits for the slowest of them, as a body that computes for
 *    long does not come to one; what it is for, the window of a few instructions in each step of the scheduler, is seldom hit.
 *
 * The sweep also gives back what may be used again only when nobody can have an outdated idea of it: descriptors, records, the machine's number.
 */

import { finishEnds } from "../context/cancel.ts";
import { condemnOverdue } from "../context/time-limits.ts";
import { CONTEXT_KIND } from "../context/tree.ts";
import { PLANNED, PSEUDO } from "../goroutine/descriptor.ts";
import { timersInNobodysHands } from "../inspect/audit.ts";
import {
  CACHE_ENDED,
  CACHE_SPAWNED,
  G_MACHINE,
  G_META,
  G_STATUS,
  M_ATTENTION,
  M_EVENTS,
  M_INBOX,
  P_CURRENT,
  P_MACHINE,
  P_WORDS,
} from "../memory/layout.ts";
import { restore } from "../queue/run-queue.ts";
import { total } from "../scheduler/idle/counters.ts";
import { LIFE_LOST, LIFE_NONE, machineRecord } from "../scheduler/idle/machine-life.ts";
import { notifyForDead } from "../scheduler/idle/parker.ts";
import { notifySysmonForDead } from "../scheduler/idle/sysmon-park.ts";
import { WorldStop } from "../scheduler/idle/world-stop.ts";
import type { Holdings } from "../scheduler/thread/holdings.ts";
import type { HostThread } from "../scheduler/thread/host.ts";
import { sysmonNumber } from "../scheduler/thread/sysmon-thread.ts";
import { giveBackPermits, releaseAbandoned } from "./abandoned-locks.ts";
import { giveBackHoldings } from "./dead-holdings.ts";
import { finishFiring } from "./firings.ts";
import { FutileLoads } from "./futile-loads.ts";
import { DeadLocks } from "./locks.ts";
import { forEachUsed, isLive, type Loss, type LossEvents, LostGoroutines } from "./lost-goroutines.ts";
import { Orphans } from "./orphans.ts";
import { emptyQueuesOf, forEachObject } from "./queues.ts";

interface Casualty {
  readonly loss: Loss;
  readonly holdings: Holdings | undefined;
  readonly goroutines: LostGoroutines;
}

export class Repair {
  readonly stop: WorldStop;
  private readonly host: HostThread;
  private readonly events: LossEvents;
  /** Machines that have not been swept. */
  private readonly casualties = new Map<number, Casualty>();
  private readonly woken: number[] = [];
  private readonly futileLoads: FutileLoads;
  private sysmonUnswept = false;

  constructor(host: HostThread, events: LossEvents) {
    this.host = host;
    this.events = events;
    this.stop = new WorldStop(host.memory);
    this.futileLoads = new FutileLoads(host);
  }

  /** Whether a sweep is due. */
  get isSweepDue(): boolean {
    return this.casualties.size > 0 || this.sysmonUnswept;
  }

  /** Releases the locks of a thread that has ended, and puts right what they guarded. For a host that waits for one of them; `sysmonLost` or `machineLost` is still to come. */
  releaseLocks(thread: number): void {
    this.woken.push(...new DeadLocks(this.host, thread).release());
  }

  /** Those whom repairs of locks have left to be made ready; not while this thread is in the middle of something itself. */
  private readyWoken(): void {
    const { host, woken } = this;
    const { i32 } = host;
    for (const goroutine of woken.splice(0)) {
      const machine = i32[host.descriptorOf(goroutine) + G_MACHINE] - 1;
      if (!this.casualties.has(machine)) host.ready(goroutine);
    }
  }

  /** sysmon's thread has ended: it has no goroutines, but may have held locks, and have had in hand whom a timer wakes. True if it had got so far as to take part. */
  sysmonLost(): boolean {
    const { host } = this;
    const tookPart = this.stop.leaveAsSysmon();
    this.notifySleepers();
    this.releaseLocks(sysmonNumber(host.memory));
    finishFiring(host, sysmonNumber(host.memory));
    this.readyWoken();
    this.sysmonUnswept = true;
    return tookPart;
  }

  /** Takes care of what is known of a machine whose thread has ended: it executes nothing any more. */
  machineLost(loss: Loss, holdings?: Holdings): void {
    const { host } = this;
    host.idle.setLife(loss.machine, LIFE_LOST);
    this.stop.leave(loss.machine);
    this.notifySleepers();
    const goroutines = new LostGoroutines(host, loss, this.events);
    const casualty = { loss, holdings, goroutines };
    this.casualties.set(loss.machine, casualty);
    this.releaseLocks(loss.machine);
    this.takeCare(casualty);
    finishFiring(host, loss.machine);
    this.readyWoken();
    this.releaseProcessors(loss.machine);
    // What the handles of those before it named has ended since.
    host.openHandles.collect();
  }

  /** The dead may have marked a sleeper as awake and not notified it: nobody else would, and it would never come to a safe point. */
  private notifySleepers(): void {
    const { i32, memory } = this.host;
    for (let m = 0; m <= memory.shape.maxMachines; m++) notifyForDead(i32, machineRecord(memory, m));
    notifySysmonForDead(i32);
  }

  private takeCare({ loss, goroutines }: Casualty): void {
    goroutines.find();
    emptyQueuesOf(this.host, loss.machine);
    goroutines.forEach((base) => giveBackPermits(this.host, base));
    goroutines.end();
  }

  /** Others may have the processors, with what is queued there. */
  private releaseProcessors(machine: number): void {
    const { host } = this;
    const { i32, memory } = host;
    host.idle.leaveLists(machine);
    const held: number[] = [];
    for (let p = 0; p < memory.shape.procs; p++)
      if (Atomics.load(i32, memory.layout.processors + p * P_WORDS + P_MACHINE) === machine) held.push(p);
    new DeadLocks(host, machine).recountCaches(held);
    for (const p of held) {
      const processor = memory.layout.processors + p * P_WORDS;
      i32[processor + P_CURRENT] = 0;
      restore(i32, processor);
      host.idle.releaseProcessor(p);
    }
    this.seeToWork();
  }

  /** Sees to it that somebody looks for work if there is any, whatever the count of searching machines says: the dead one may have been counted. */
  seeToWork(): void {
    const { host } = this;
    if (host.isWorkSomewhere()) host.idle.wakeOneAnyway();
  }

  /** Condemns threads that dead ones were to condemn. */
  condemnOverdue(): void {
    const { host } = this;
    forEachUsed(host, (base) => {
      if ((host.i32[base + G_META] & PLANNED) !== 0 && isLive(host.i32[base + G_STATUS]))
        condemnOverdue(host, base);
    });
  }

  /** Finds what dead threads had in hand, and gives back what was theirs. All machines must be held. */
  sweep(): void {
    const { host, casualties } = this;
    host.flushNew();
    // First, so that they are in an inbox and nobody takes them for forgotten.
    this.readyWoken();
    // Once more, and now with nothing moving: what a machine did just then with an outdated idea of who is there.
    for (const casualty of casualties.values()) {
      this.takeCare(casualty);
      casualty.goroutines.leaveJoins();
    }
    host.finishForgotten();
    host.idle.recount();
    this.futileLoads.review(
      new Map([...casualties].map(([machine, { goroutines }]) => [machine, goroutines])),
    );
    new Orphans(host, new Set(casualties.keys())).rehome();
    this.releaseAbandoned();
    finishEnds(host, this.contexts());
    if (this.sysmonUnswept) host.timers.forgetSleepers(() => false);
    this.sysmonUnswept = false;
    for (const casualty of casualties.values()) this.giveBack(casualty);
    for (const timer of timersInNobodysHands(host)) host.timers.free(timer);
    this.readyWoken();
    casualties.clear();
    this.recountGoroutines();
  }

  /** What the dead held of the program's own: after all who were forgotten in a queue's service have been found, for whoever is taken from a queue here is not on its way yet. */
  private releaseAbandoned(): void {
    const { host, casualties, events } = this;
    const dead = new Set(casualties.keys());
    const ids = new Set([...casualties.values()].flatMap(({ goroutines }) => [...goroutines.ids]));
    const living: Holdings[] = [host.holdings];
    for (let machine = 1; machine <= host.memory.shape.maxMachines; machine++) {
      const holdings = dead.has(machine) ? undefined : events.holdingsOf?.(machine);
      if (holdings !== undefined) living.push(holdings);
    }
    this.woken.push(...releaseAbandoned(host, { dead, ids, living }));
  }

  private contexts(): number[] {
    const found: number[] = [];
    forEachObject(this.host, (_base, kind, index) => {
      if (kind === CONTEXT_KIND) found.push(index);
    });
    return found;
  }

  private giveBack({ loss, holdings, goroutines }: Casualty): void {
    const { host } = this;
    const { i32 } = host;
    const record = machineRecord(host.memory, loss.machine);
    host.timers.forgetSleepers((goroutine) => goroutines.has(goroutine));
    goroutines.release();
    if (holdings !== undefined) this.woken.push(...giveBackHoldings(host, holdings));
    Atomics.store(i32, record + M_INBOX, 0);
    Atomics.store(i32, record + M_ATTENTION, 0);
    Atomics.store(i32, record + M_EVENTS, 0);
    host.idle.setLife(loss.machine, LIFE_NONE);
  }

  /** The dead may have counted a start or an end and not carried it out, or the other way round. */
  private recountGoroutines(): void {
    const { host } = this;
    const { i32, f64, memory } = host;
    let live = 0;
    forEachUsed(host, (base) => {
      if (isLive(i32[base + G_STATUS]) && (i32[base + G_META] & PSEUDO) === 0) live++;
    });
    const counted = total(memory, CACHE_SPAWNED) - total(memory, CACHE_ENDED);
    f64[(host.cache + CACHE_ENDED) >> 1] += counted - live;
  }
}
