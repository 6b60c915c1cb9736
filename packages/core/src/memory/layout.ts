/**
 * Every word of the shared memory, declared once.
 *
 * One SharedArrayBuffer holds a runtime. It is read as 32-bit words (`Int32Array`), as doubles (`Float64Array`, word
 * index / 2) and as bytes. Regions follow one another; a region is an array of records of one stride, and a record's
 * number 0 is never used, so that 0 can mean "none" in every link. `PREFIX_FIELD` is the offset of a word inside its
 * record. The doc comment of each constant is its specification: what it is for, who writes it (`@writer`: the module that
 * owns it; then, if any, those that fill in a new record or work on it under the same lock), who reads it (`@reader`) and
 * what it holds first (`@initial`, 0 when not said). docs/memory-map.md is generated from these comments, and
 * scripts/check-writers.mjs finds every write by another module. (The modules of `repair` may write any word, in the place of a thread that has died.)
 *
 * "Owner" is the machine that holds the processor a word belongs to. A word that only its owner writes may be read and
 * written plainly by the owner; other threads see it after the owner's next atomic operation.
 */

/** Words in a 64-byte cache line: records that two threads write at once are kept this far apart. */
export const LINE_WORDS = 16;

// ───────────────────────────── region: header ─────────────────────────────
// Written once, before any other thread exists.

/** First word of the header region. */
export const HEADER_BASE = 0;
/** Marks an initialised runtime memory and the layout's version. @writer memory/shared-memory @reader all */
export const H_MAGIC = 0;
/** Number of processors. @writer memory/shared-memory @reader all */
export const H_PROCS = 1;
/** Machine records, the host's own (number 0) not counted. @writer memory/shared-memory @reader all */
export const H_MAX_MACHINES = 2;
/** Goroutine descriptors, the unusable number 0 included. @writer memory/shared-memory @reader all */
export const H_MAX_GOROUTINES = 3;
/** Time slice in microseconds. @writer memory/shared-memory @reader scheduler/machine/monitor */
export const H_TIME_SLICE_US = 4;
/** Ring capacity in use: RING_PLACES for one processor, less for several and in tests. @writer memory/shared-memory @reader queue/run-queue */
export const H_RING_SIZE = 5;
/** Slab size in KiB. @writer memory/shared-memory @reader all */
export const H_SLAB_KIB = 6;
/** Sync objects that can exist at once. @writer memory/shared-memory @reader all */
export const H_MAX_OBJECTS = 7;
/** Seed of chaos mode, CHAOS_OFF for none. @writer memory/shared-memory @reader chaos */
export const H_CHAOS_SEED = 8;
/** The value of H_CHAOS_SEED without chaos. */
export const CHAOS_OFF = 0;

// ───────────────────────────── region: scheduler ─────────────────────────────

/** First word of the scheduler region. */
export const SCHED_BASE = 64;
/**
 * Idle processors (bits 16–31) and searching machines (bits 0–15) in one word, so that "somebody idle and nobody
 * searching" is one load on every spawn. @writer scheduler/idle/idle-coordinator, scheduler/idle/idle-lists @reader scheduler/idle/idle-coordinator, scheduler/idle/idle-lists, scheduler/idle/machine-life
 */
export const SCHED_IDLE: number = SCHED_BASE + 0;
/** Lock of the idle lists: 0 free, else the owner's thread number + 1. @writer scheduler/idle/idle-coordinator, scheduler/idle/machine-life @reader scheduler/idle/idle-coordinator, scheduler/idle/machine-life */
export const SCHED_LOCK: number = SCHED_BASE + 1;
/** First idle processor + 1, linked through P_IDLE_NEXT; under SCHED_LOCK. @writer scheduler/idle/idle-lists @reader scheduler/idle/idle-coordinator, scheduler/idle/idle-lists */
export const SCHED_IDLE_P: number = SCHED_BASE + 2;
/** First idle machine, linked through M_IDLE_NEXT; under SCHED_LOCK. @writer scheduler/idle/idle-coordinator, scheduler/idle/idle-lists @reader scheduler/idle/idle-coordinator, scheduler/idle/idle-lists */
export const SCHED_IDLE_M: number = SCHED_BASE + 3;
/** Threads wanted beyond those that exist: a count the host takes and starts. @writer scheduler/idle/machine-life @reader scheduler/idle/machine-life, scheduler/thread/host */
export const SCHED_WANTED: number = SCHED_BASE + 4;
/** 0 open, 1 draining (the host wants to know when all is idle), 2 closed: machines leave at their next look. @writer scheduler/thread/host @reader scheduler */
export const SCHED_CLOSING: number = SCHED_BASE + 5;
/** Lock of the tree of contexts, and of who is cancelled: 0 free, else the owner's thread number + 1. @writer context/tree @reader context/tree */
export const CONTEXT_LOCK: number = SCHED_BASE + 10;
/** 1 once all processors were idle with goroutines left; taken by the host. @writer scheduler/idle/idle-coordinator @reader scheduler/idle/idle-coordinator */
export const SCHED_ALL_IDLE: number = SCHED_BASE + 11;
/** Threads wanted or starting. @writer scheduler/idle/machine-life @reader scheduler/idle/idle-coordinator, scheduler/idle/machine-life */
export const SCHED_COMING: number = SCHED_BASE + 9;
/** First machine that waits for a processor, linked through M_IDLE_NEXT, oldest first; under SCHED_LOCK. @writer scheduler/idle/idle-coordinator, scheduler/idle/idle-lists @reader scheduler/idle/idle-coordinator, scheduler/idle/idle-lists, scheduler/machine/monitor */
export const SCHED_WAIT_HEAD: number = SCHED_BASE + 7;
/** Last machine that waits for a processor; under SCHED_LOCK. @writer scheduler/idle/idle-coordinator, scheduler/idle/idle-lists @reader scheduler/idle/idle-coordinator, scheduler/idle/idle-lists */
export const SCHED_WAIT_TAIL: number = SCHED_BASE + 8;
/** 0 while the machines run, else the number of the stop that is asked for: see scheduler/idle/world-stop. @writer scheduler/idle/world-stop @reader scheduler/idle/world-stop */
export const SCHED_STOP: number = SCHED_BASE + 12;
/** 1 when a machine's M_CONDEMNED was set, for the host. @writer context/time-limits @reader context/time-limits */
export const SCHED_CONDEMNED: number = SCHED_BASE + 13;
/** Batch number the next taker of goroutine ids gets. @writer goroutine/identity @reader goroutine/identity */
export const SCHED_GOID_BATCH: number = SCHED_BASE + 6;

/** Lock of the global queue: 0 free, else the owner's thread number + 1. @writer queue/global-queue @reader queue/global-queue */
export const GLOBAL_LOCK: number = SCHED_BASE + 16;
/** First goroutine of the global queue, linked through G_NEXT; under GLOBAL_LOCK. @writer queue/global-queue @reader queue/global-queue */
export const GLOBAL_HEAD: number = SCHED_BASE + 17;
/** Last goroutine of the global queue; under GLOBAL_LOCK. @writer queue/global-queue @reader queue/global-queue */
export const GLOBAL_TAIL: number = SCHED_BASE + 18;
/** Its length; written under GLOBAL_LOCK, read without. @writer queue/global-queue @reader queue/global-queue, inspect/stats */
export const GLOBAL_SIZE: number = SCHED_BASE + 19;

/** sysmon's sleep: 0 awake, 1 asleep while all processors are idle, 2 asleep between two passes. @writer scheduler/idle/sysmon-park @reader scheduler/idle/sysmon-park */
export const SYSMON_PARK: number = SCHED_BASE + 32;
/** When sysmon wakes by itself, a double in milliseconds of the runtime's clock. Stored before SYSMON_PARK says that it sleeps. @writer scheduler/idle/sysmon-park @reader scheduler/idle/sysmon-park */
export const SYSMON_UNTIL: number = SCHED_BASE + 34;
/** What M_STOP is for a machine, for sysmon. @writer scheduler/idle/world-stop @reader scheduler/idle/world-stop */
export const SYSMON_STOP: number = SCHED_BASE + 36;
/** What M_ENTERED is for a machine, for sysmon. @writer scheduler/idle/world-stop @reader scheduler/idle/world-stop */
export const SYSMON_ENTERED: number = SCHED_BASE + 37;
/** Passes sysmon has made. @writer scheduler/machine/monitor @reader tests */
export const SYSMON_PASSES: number = SCHED_BASE + 33;

/** Lock of the function table. @writer goroutine/function-table @reader goroutine/function-table */
export const FN_LOCK: number = SCHED_BASE + 48;
/** Functions known so far; a function's number is its place, from 1. @writer goroutine/function-table @reader goroutine/function-table */
export const FN_COUNT: number = SCHED_BASE + 49;
/** Words of the text area in use. @writer goroutine/function-table @reader goroutine/function-table */
export const FN_TEXT_USED: number = SCHED_BASE + 50;
/** 1 once a SharedArrayBuffer has been sent. @writer scheduler/thread/shared-buffers @reader scheduler/thread/shared-buffers */
export const SAB_SENT: number = SCHED_BASE + 51;
/** How often all threads were asked to let go of SharedArrayBuffers that nobody can get at. @writer scheduler/thread/shared-buffers @reader scheduler/thread/shared-buffers */
export const SAB_ROUND: number = SCHED_BASE + 52;

/** Words of the scheduler region. */
export const SCHED_WORDS = 64;

// ───────────────────────────── region: pools ─────────────────────────────
// One record for each kind of pooled record: the free list behind the caches.

/** Goroutine descriptors. */
export const POOL_G = 0;
/** Sync objects. */
export const POOL_OBJECT = 1;
/** First of the slab's size classes. */
export const POOL_SLAB = 2;
/** Size classes of the slab that have a pool each: memory/slab-classes lists them. */
export const SLAB_CLASSES = 18;
/** Timers. */
export const POOL_TIMER = 21;
/** Descriptors behind those of the goroutines, for promises and blocked threads that wait. */
export const POOL_AWAIT = 22;
/** Kinds of pooled records that there is room for. */
export const POOL_KINDS = 32;
/** Words of a pool record. */
export const POOL_WORDS = 16;
/** Lock: 0 free, else the owner's thread number + 1. @writer memory/record-pool, memory/slab @reader memory/record-pool */
export const POOL_LOCK = 0;
/** First free record. @writer memory/record-pool, memory/slab @reader memory/record-pool */
export const POOL_HEAD = 1;
/** Free records in the list. @writer memory/record-pool, memory/slab @reader memory/record-pool, memory/slab */
export const POOL_COUNT = 2;
/** Records ever handed out: numbers from here on are untouched memory. @initial 1 @writer memory/record-pool, memory/slab, memory/shared-memory (at first) @reader memory/record-pool, inspect */
export const POOL_BUMP = 3;
/** For pools that grow: end of the untouched numbers that begin at POOL_BUMP. @writer memory/slab @reader memory/record-pool, memory/slab */
export const POOL_LIMIT = 4;
/** POOL_COUNT after the last search for whole runs to give back: while it is the same, another would find nothing. @writer memory/slab @reader memory/slab */
export const POOL_SEARCHED = 5;

// ───────────────────────────── region: caches ─────────────────────────────
// One record for each processor, then one for each thread (host, machines, sysmon) to use while it holds no processor.

/** Words of a cache record. */
export const CACHE_WORDS = 128;
/** First of POOL_KINDS pairs (first free record, count): this owner's share of each pool. @writer memory/record-pool @reader memory/record-pool */
export const CACHE_POOLS = 0;
/** Goroutines started by this owner, a double. @writer scheduler/thread/goroutine-creation, time/held-goroutine (takes back what has not started) @reader inspect/stats */
export const CACHE_SPAWNED = 64;
/** Goroutines that ended on this owner, a double. @writer scheduler/machine/execution @reader inspect/stats */
export const CACHE_ENDED = 66;
/** Goroutines this owner parked, a double. @writer scheduler/machine/machine-thread @reader inspect/stats */
export const CACHE_PARKS = 68;
/** Goroutines this owner stole, a double. @writer scheduler/machine/find-runnable @reader inspect/stats */
export const CACHE_STEALS = 70;
/** Preempted goroutines, a double. @writer scheduler/machine/machine-thread @reader inspect/stats */
export const CACHE_PREEMPTIONS = 72;
/** Processors handed to another machine, a double. @writer scheduler/machine/processor-holding @reader inspect/stats */
export const CACHE_HANDOFFS = 74;
/** Next goroutine id to give, a double. @writer goroutine/identity @reader goroutine/identity */
export const CACHE_GOID_NEXT = 76;
/** Goroutine ids left in this owner's batch. @writer goroutine/identity @reader goroutine/identity */
export const CACHE_GOID_LEFT = 78;
/** In a thread's own record: how far it is with the timer that it runs: 0 has none, 1 is about to take it, 2 has it in hand, 3 has sent what it had to. @writer scheduler/thread/firing-note @reader scheduler/thread/firing-note */
export const CACHE_FIRING = 112;
/** The timer. @writer scheduler/thread/firing-note @reader scheduler/thread/firing-note */
export const CACHE_FIRING_TIMER = 113;
/** Its T_TARGET when it was taken. @writer scheduler/thread/firing-note @reader scheduler/thread/firing-note */
export const CACHE_FIRING_TARGET = 114;
/** Its T_ARMING when it was taken. @writer scheduler/thread/firing-note @reader scheduler/thread/firing-note */
export const CACHE_FIRING_ARMING = 115;
/** Waiter of the receiver that is handed its tick; 0 for none. @writer scheduler/thread/firing-note @reader scheduler/thread/firing-note */
export const CACHE_FIRING_RECEIVER = 116;
/** When it was due, a double. @writer scheduler/thread/firing-note @reader scheduler/thread/firing-note */
export const CACHE_FIRING_WHEN = 118;
/** In a thread's own record: the value that a channel operation has in its hands, two words. @writer channel/channel-port @reader channel/channel-port */
export const CACHE_VALUE = 126;

// ───────────────────────────── region: processors ─────────────────────────────

/** Places of a processor's ring, at most. Go has 256: what goes through the global queue instead costs more here, where it is linked by writing into each descriptor. */
export const RING_PLACES = 1024;
/** Words of a processor record: five lines of state, the ring behind. */
export const P_WORDS: number = 80 + RING_PLACES;
/** 0 idle, else the number of the machine that holds it. @writer scheduler/idle/idle-coordinator, scheduler/idle/idle-lists @reader scheduler/machine/monitor, scheduler/idle/sysmon-park */
export const P_MACHINE = 0;
/** Next idle processor + 1; under SCHED_LOCK. @writer scheduler/idle/idle-lists @reader scheduler/idle/idle-lists */
export const P_IDLE_NEXT = 1;
/** Lock of the processor's timers: 0 free, else the owner's thread number + 1. @writer scheduler/thread/timers @reader scheduler/thread/timers, scheduler/idle/sysmon-park */
export const P_TIMER_LOCK = 2;
/** First timer of the heap, 0 for none; under P_TIMER_LOCK. @writer queue/timer-heap @reader queue/timer-heap */
export const P_TIMER_ROOT = 3;
/** When the first timer is due, a double; Infinity without timers. Written under P_TIMER_LOCK, read without. @writer queue/timer-heap, memory/shared-memory (at first) @reader scheduler/thread/timers, scheduler/machine/monitor @initial Infinity */
export const P_TIMER_NEXT = 4;
/** Times a timer was put into this heap, a double: equal times are served in this order; under P_TIMER_LOCK. @writer queue/timer-heap @reader queue/timer-heap */
export const P_TIMER_ORDER = 6;
/** Timers in the heap, and those that have been taken from it to be run now: a deadlock needs it to be 0. @writer scheduler/thread/timers @reader scheduler/thread/timers */
export const P_TIMER_COUNT = 8;
/** Counts time slices: every goroutine that runs without inheriting its slice adds one. @writer scheduler/machine/find-runnable, scheduler/machine/blocking @reader scheduler/machine/monitor */
export const P_TICK = 16;
/** 1 asks the running goroutine to give way at its next yield point. Set by sysmon, cleared by the owner. @writer scheduler/machine/monitor, scheduler/thread/cancellation, scheduler/machine/find-runnable (clears it), scheduler/machine/machine-thread (clears it) @reader scheduler */
export const P_PREEMPT = 17;
/** 1 asks the holder to give this processor to a machine that waits for one. Set by sysmon, cleared by the holder. @writer scheduler/machine/monitor, scheduler/machine/processor-holding (clears it), scheduler/machine/blocking (clears it) @reader scheduler */
export const P_GIVE_UP = 19;
/** The goroutine running now, 0 for none. @writer scheduler/machine/execution, scheduler/machine/find-runnable, scheduler/machine/processor-holding, scheduler/machine/joining, scheduler/machine/blocking, scheduler/machine/machine @reader scheduler/machine/monitor, inspect */
export const P_CURRENT = 18;
/** Ring: next place to take from, free-running. Moved by compare-and-swap, by anyone. @writer queue/run-queue, chaos/chaotic-stealer @reader queue/run-queue */
export const P_HEAD = 32;
/** Ring: next place to put to, free-running. Stored by the owner alone. @writer queue/run-queue @reader queue/run-queue */
export const P_TAIL = 48;
/** The goroutine to run next, sharing the slice of the one that made it ready; 0 none. @writer queue/run-queue @reader queue/run-queue */
export const P_RUNNEXT = 64;
/** First of the ring's places. @writer queue/run-queue @reader queue/run-queue */
export const P_RING = 80;

// ───────────────────────────── region: machines ─────────────────────────────
// Record 0 is the host: it runs no goroutines, but sleeps, is woken and has an inbox like every machine.

/** Words of a machine record. */
export const M_WORDS = 64;
/**
 * 0 awake, 1 asleep in Atomics.wait, 2 asleep in its event loop, 3 (the host) napping. The sleeper sets 1 to 3; whoever changes it back to 0 owes
 * the notify. @writer scheduler/idle/parker @reader scheduler/idle/parker
 */
export const M_PARK = 0;
/** Next idle machine; under SCHED_LOCK. @writer scheduler/idle/idle-coordinator, scheduler/idle/idle-lists @reader scheduler/idle/idle-lists */
export const M_IDLE_NEXT = 1;
/** 0 not listed, 1 in the idle list, 2 in the list of those that wait for a processor; under SCHED_LOCK. @writer scheduler/idle/idle-coordinator, scheduler/idle/idle-lists @reader scheduler/idle/idle-coordinator, scheduler/idle/idle-lists, inspect/stats */
export const M_LISTED = 2;
/** Processor + 1 that was handed to the machine while it was listed; 0 none. @writer scheduler/idle/idle-coordinator, scheduler/idle/idle-lists @reader scheduler/idle/idle-coordinator, scheduler/idle/idle-lists */
export const M_GRANT = 3;
/** 0 no thread, 1 wanted, 2 starting, 3 alive, 4 lost. @writer scheduler/idle/machine-life @reader scheduler/idle/machine-life, inspect */
export const M_LIFE = 4;
/** 1 asks the machine to look for cancelled goroutines among those that live on it, and for all else that is wanted of it; 2 to let go of shared buffers, and no more. Set by whoever cancels or frees, cleared by the machine. @writer scheduler/thread/cancellation, scheduler/idle/world-stop @reader scheduler */
export const M_ATTENTION = 6;
/** 1 while the machine sleeps in its event loop for something that only the event loop can bring: I/O, a timer, a module. @writer scheduler/machine/processor-holding, scheduler/machine/blocking @reader inspect/deadlock */
export const M_EVENTS = 7;
/** 1 when the machine was handed its processor by a waker that counted it as searching; under SCHED_LOCK. @writer scheduler/idle/idle-coordinator, scheduler/idle/idle-lists @reader scheduler/idle/idle-coordinator */
export const M_GRANT_SEARCHING = 5;
/** 1 when the machine was in its event loop as it was handed its processor: it may be busy there; under SCHED_LOCK. @writer scheduler/idle/idle-lists @reader scheduler/idle/idle-coordinator */
export const M_GRANT_LOOP = 8;
/** How many bodies hold the thread with `block()` or `blocking()`, one on top of the other. Written by the machine alone. @writer scheduler/machine/blocking @reader inspect/stats */
export const M_HELD = 9;
/** 1 from when the machine goes to sleep in its event loop until it has come back from there, called or not. @writer scheduler/machine/processor-holding, scheduler/machine/blocking, scheduler/machine/machine @reader scheduler/idle/idle-lists */
export const M_IN_LOOP = 10;
/** 0 runs, 1 pauses at a safe point, 2 is held there by the host: see scheduler/idle/world-stop. @writer scheduler/idle/world-stop @reader scheduler/idle/world-stop */
export const M_STOP = 11;
/** 1 from the moment the machine's thread first touches what is shared. @writer scheduler/idle/world-stop @reader scheduler/idle/world-stop */
export const M_ENTERED = 12;
/** A goroutine that defies its cancellation, for which this thread is to be ended; 0 for none. @writer context/time-limits @reader context/time-limits */
export const M_CONDEMNED = 14;
/** While this thread has a G_JOIN locked: what that word held before. @writer goroutine/completion @reader goroutine/completion */
export const M_JOINERS = 13;
/** Newest goroutine of the inbox, linked through G_NEXT. Pushed by anyone, emptied by its machine. @writer queue/inbox @reader queue/inbox */
export const M_INBOX = 16;

// ───────────────────────────── region: waiters ─────────────────────────────
// Who stands in a queue: Go's sudog. Every goroutine has one of its own, inside its descriptor, for operations that wait in one place; a select has one for
// each of its cases, in a block of the slab. A waiter is named by its first word, so that both kinds look the same to a queue.

/** Words of a waiter. */
export const W_WORDS = 8;
/** Next in the queue, 0 for none. Under the queue's lock. @writer goroutine/wait-queue, channel/channel-port (once served) @reader goroutine/wait-queue, channel/channel-port */
export const W_NEXT = 0;
/** Previous in the queue, 0 for none. Under the queue's lock. @writer goroutine/wait-queue @reader goroutine/wait-queue */
export const W_PREVIOUS = 1;
/** Goroutine that waits. @writer goroutine/wait-queue, channel/select-operation @reader goroutine/wait-queue, channel, sync, context */
export const W_GOROUTINE = 2;
/** 0 for an ordinary waiter, else the number of the select's case + 1. @writer channel/select-operation, goroutine/wait-queue @reader goroutine/wait-queue */
export const W_CASE = 3;
/** 1 while it stands in a queue. Under the queue's lock. @writer goroutine/wait-queue, sync/semaphore (of a request that can never be granted) @reader goroutine/wait-queue */
export const W_QUEUED = 4;
/** What the waker says to the woken: how it went, in bits 0–7 a value's tag. Its meaning is the operation's; 0 from before the goroutine's status says that it waits. @writer channel, sync, context (whose the operation is), scheduler/machine/machine-thread, scheduler/thread/waiters (at first) @reader channel, sync, context, repair */
export const W_RESULT = 5;
/** Payload of the value that is handed over, two words. @writer channel, sync (whose the operation is) @reader channel, sync */
export const W_VALUE = 6;

// ───────────────────────────── region: goroutines ─────────────────────────────
// The first line carries a goroutine from spawn to join; the second has what few ask for. Arguments are read before the body runs and the result is stored after it has
// ended, and only a body that runs can wait: so its own waiter lies where the arguments were, and parking touches no line more.

/**
 * Descriptors beyond maxGoroutines. Promises and blocked threads that wait take one of these: a host whose table is full must still be able to join, send and receive, or there would never be room again.
 * When there are none left, they take those of goroutines. A guess; only what is used costs memory.
 */
export const AWAIT_RESERVE = 4096;
/** Words of a goroutine descriptor: two lines. */
export const G_WORDS = 32;
/** See goroutine/status: idle, runnable, running, syscall, waiting, dead. @writer goroutine/status, scheduler/thread/waiters, scheduler/thread/promises, scheduler/thread/operation, scheduler/thread/handle, scheduler/machine/machine-thread, scheduler/machine/execution, scheduler/machine/joining, scheduler/thread/host @reader inspect, context/cancel */
export const G_STATUS = 0;
/** Link of the one list this goroutine is on. @writer queue, memory/record-pool, context/err-group-record (members that wait for the limit) @reader queue, memory/record-pool, context/err-group-record */
export const G_NEXT = 1;
/** Function number. @writer scheduler/thread/goroutine-creation @reader scheduler, inspect */
export const G_FUNCTION = 2;
/** Argument count, tags of up to four argument slots, kind flags; see goroutine/descriptor. After the end: the result's tag. @writer scheduler/thread/goroutine-creation, scheduler/thread/waiters, scheduler/machine/execution (the result), scheduler/thread/host (once it has been taken), context/plan (before it is queued) @reader scheduler */
export const G_META = 3;
/** Goroutine id, a double: unique for the life of the runtime. 0 for a pseudo-goroutine. @writer scheduler/thread/goroutine-creation, scheduler/thread/waiters @reader scheduler/thread/handle, inspect */
export const G_ID = 4;
/** Who waits for the end; see goroutine/completion. @writer goroutine/completion, scheduler/thread/goroutine-creation (at first), scheduler/thread/host (of a run, at first) @reader goroutine/completion */
export const G_JOIN = 6;
/** Handles that may still ask for the result. @writer goroutine/completion, scheduler/thread/goroutine-creation (at first) @reader goroutine/completion */
export const G_REFS = 7;
/** Machine the frame lives on + 1; 0 while never run, so that anyone may take it. @writer scheduler/machine/execution, scheduler/machine/body-loading, scheduler/thread/goroutine-creation (at first), scheduler/thread/waiters (at first) @reader scheduler/thread/thread */
export const G_MACHINE = 8;
/** Place of the frame in that machine's own table. Before the goroutine has begun: machine + 1 that keeps it until its module is loaded; 0 for none. @writer scheduler/thread/goroutine-creation, scheduler/thread/waiters, scheduler/machine/execution, scheduler/machine/body-loading (before it has begun) @reader scheduler, repair */
export const G_FRAME = 9;
/** Context record whose end ends this goroutine, 0 while it may go on. Set once, by whoever cancels. @writer context/cancel, scheduler/thread/goroutine-creation (at first), scheduler/thread/waiters (at first), scheduler/thread/promises (its owner's) @reader scheduler, context/cancel */
export const G_CANCELED = 10;
/** Context it was started with: a record number, 0 for the background. @writer scheduler/thread/goroutine-creation, context/cancel (at the end), time/held-goroutine @reader context */
export const G_CONTEXT = 11;
/** Of a run of the host's, which G_JOIN tells: where the host keeps the promise that it settles. Else the number of the thread that started it, and has its first handle. @writer scheduler/thread/goroutine-creation, scheduler/thread/host @reader scheduler/thread/host, goroutine/completion */
export const G_STARTER = 12;
/** Next joiner of the same goroutine. @writer goroutine/completion @reader goroutine/completion */
export const G_JOIN_NEXT = 13;
/** Four argument payloads of two words, the first in the first line, until the body is called. After the end the first holds the result. @writer scheduler/thread/goroutine-creation, scheduler/machine/execution (the result), context/plan (of another run) @reader scheduler */
export const G_ARGS = 14;
/** The goroutine's own waiter, W_WORDS words, from the call of its body to its end: the arguments have been read by then. A pseudo-goroutine has no arguments. */
export const G_WAITER: number = G_ARGS;
/** Id of the goroutine that started this one, a double; 0 for the host. @writer scheduler/thread/goroutine-creation, scheduler/thread/waiters @reader inspect, context/cancel */
export const G_PARENT = 22;
/** Why it waits: a number of goroutine/wait-reason. @writer goroutine/status, scheduler/thread/waiters (of a pseudo-goroutine) @reader inspect */
export const G_WAIT_REASON = 24;
/** Sync object to tell when a detached goroutine ends, 0 for none, and once it has been told. @writer scheduler/thread/goroutine-creation, sync/wait-group, context/err-group-record @reader scheduler, repair */
export const G_ON_END = 25;
/** Tag of the name given at the spawn, 0 for none. @writer scheduler/thread/goroutine-creation, scheduler/thread/waiters @reader inspect */
export const G_NAME_TAG = 26;
/** 0 while a select of this goroutine is undecided, then the winning case + 1. By compare-and-swap. @writer goroutine/wait-queue, channel/select-operation, scheduler/thread/goroutine-creation (at first), scheduler/thread/waiters (at first) @reader channel/select-operation */
export const G_SELECT = 27;
/** Payload of the name. @writer scheduler/thread/goroutine-creation @reader inspect */
export const G_NAME = 28;
/** Function of the goroutine that started this one, 0 for the host. @writer scheduler/thread/goroutine-creation @reader inspect */
export const G_PARENT_FUNCTION = 30;
/** Low half of the id of the goroutine that G_CANCELED is meant for: a mark that came too late for it does not hit the next. @writer context/cancel @reader scheduler */
export const G_CANCELED_ID = 31;

// ───────────────────────────── region: sync objects ─────────────────────────────

/** Words of a sync object. */
export const O_WORDS = 16;
/** What it is: a number of scheduler/thread/shared-object. @writer scheduler/thread/shared-object @reader scheduler/thread/shared-object, inspect */
export const O_KIND = 0;
/** Link in its free list. @writer memory/record-pool @reader memory/record-pool */
export const O_NEXT_FREE = 1;
/** Local objects, on all threads, and values under way that name it. @writer scheduler/thread/shared-object @reader scheduler/thread/shared-object */
export const O_REFS = 2;
/** Counts the uses of this record, so that a stale name is told from a new one. @writer scheduler/thread/shared-object @reader scheduler/thread/shared-object */
export const O_GENERATION = 3;
/** Lock of the words below. @writer sync, channel, context/err-group-record, scheduler/thread/shared-object (at first) @reader sync, channel, context/err-group-record */
export const O_LOCK = 4;
/** The counter, permits or value. @writer sync, scheduler/thread/shared-object (at first) @reader sync */
export const O_VALUE = 5;
/** First waiter; see goroutine/wait-queue. @writer goroutine/wait-queue, scheduler/thread/shared-object (at first) @reader goroutine/wait-queue */
export const O_HEAD = 6;
/** Last waiter. @writer goroutine/wait-queue, scheduler/thread/shared-object (at first) @reader goroutine/wait-queue */
export const O_TAIL = 7;

// Channels: the words of a sync object beyond the common ones, all under its lock unless one thread has the only reference.

/** 1 once it is closed. Read without the lock, too. @writer channel/channel-port @reader channel/channel-port, channel/channel-record */
export const C_CLOSED = 5;
/** Values in the buffer. Read without the lock, too. @writer channel/channel-port @reader channel/channel-port, channel/channel-record */
export const C_COUNT = 6;
/** Values that the buffer has room for; 0 for a channel without a buffer. @writer channel/channel-port @reader channel/channel-port, channel/channel-record */
export const C_CAPACITY = 7;
/** Place of the buffer at which the next value goes in. @writer channel/channel-port @reader channel/channel-port */
export const C_PUT_AT = 8;
/** Place of the buffer from which the next value comes out. @writer channel/channel-port @reader channel/channel-port */
export const C_TAKE_AT = 9;
/** First word of the buffer, a block of the slab: a payload of two words for each place, then a byte for each place's tag; 0 for none. @writer channel/channel-port @reader channel/channel-port */
export const C_BUFFER = 10;
/** Queue (two words) of those who wait for a value. @writer goroutine/wait-queue, channel/channel-port (at first) @reader channel/channel-port, channel/channel-record */
export const C_RECEIVERS = 11;
/** Queue (two words) of those who wait to hand over theirs. @writer goroutine/wait-queue, channel/channel-port (at first) @reader channel/channel-port, channel/channel-record */
export const C_SENDERS = 13;
/** The timer of a timer's channel, whose one place does not show: length and capacity are 0. For a context's channel, its record's number, negative. @writer channel/channel-port (at first), channel/kernel, channel/timer-channel, context/tree @reader channel/channel-record, channel/operations */
export const C_HIDDEN = 15;

// Sync primitives: the words of a sync object beyond the common ones.

/** Locked, woken, starving, queued: drawn in sync/mutex-protocol. Changed by compare-and-swap. @writer sync/mutex-protocol @reader sync/mutex-protocol */
export const MUTEX_STATE = 5;
/** Queue (two words) of those who wait for the lock. @writer goroutine/wait-queue @reader sync/mutex-protocol */
export const MUTEX_WAITERS = 6;
/** Number of the use in which it is held, odd if it came from one who was lost with it; 0 while it is not held, and while its holder has not said who he is. @writer sync/mutex-protocol (who holds it), sync/mutex (at first) @reader sync/mutex-protocol */
export const MUTEX_USE = 8;
/** Number of the latest use. @writer sync/mutex-protocol (who holds it), sync/mutex (at first) @reader sync/mutex-protocol */
export const MUTEX_USES = 9;
/** Who holds it: see sync/lock-owner. Means something while MUTEX_USE is not 0. @writer sync/mutex-protocol (who holds it, or hands it over) @reader sync/mutex-protocol */
export const MUTEX_OWNER = 10;
/** Written, waited for, number of readers: drawn in sync/rw-mutex-protocol. Changed by compare-and-swap. @writer sync/rw-mutex-protocol @reader sync/rw-mutex-protocol */
export const RW_STATE = 5;
/** Queue (two words) of those who wait to write. @writer goroutine/wait-queue @reader sync/rw-mutex-protocol */
export const RW_WRITERS = 6;
/** Queue (two words) of those who wait to read. @writer goroutine/wait-queue, sync/rw-mutex (at first) @reader sync/rw-mutex-protocol */
export const RW_READERS = 8;
/** Counts the times it was locked for writing. @writer sync/rw-mutex-protocol (who locks it) @reader sync/rw-mutex-protocol */
export const RW_USE = 10;
/** Who writes: see sync/lock-owner; 0 for nobody. @writer sync/rw-mutex-protocol (who locks it, or hands it over), sync/rw-mutex (at first) @reader sync/rw-mutex-protocol */
export const RW_OWNER = 11;
/** 1 from when it was taken from a lost writer until the next writer has unlocked it. @writer sync/rw-mutex-protocol, sync/rw-mutex (at first) @reader sync/rw-mutex-protocol */
export const RW_ABANDONED = 12;
/** 0 not called, 1 the call is under way, 2 done. By compare-and-swap to 1, under the lock to 2. @writer sync/once @reader sync/once */
export const ONCE_STATE = 5;
/** Queue (two words) of those who wait for the call to end. @writer goroutine/wait-queue @reader sync/once */
export const ONCE_WAITERS = 6;
/** Who makes the call: see sync/lock-owner; 0 for nobody. @writer sync/once @reader sync/once */
export const ONCE_OWNER = 8;
/** Queue (two words) of those who wait for a signal. @writer goroutine/wait-queue @reader sync/cond */
export const COND_WAITERS = 6;
/** The mutex's record, of which the condition holds a reference. Set once. @writer sync/cond @reader sync/cond */
export const COND_MUTEX = 8;
/** Free permits; the sign bit is set while somebody queues. By compare-and-swap, and under the lock alone while it is set. @writer sync/semaphore-protocol @reader sync/semaphore-protocol */
export const SEM_FREE = 5;
/** Queue (two words) of those who wait for permits; W_VALUE of each says how many. @writer goroutine/wait-queue @reader sync/semaphore-protocol */
export const SEM_WAITERS = 6;
/** Permits there are. Set once. @writer sync/semaphore @reader sync/semaphore-protocol */
export const SEM_PERMITS = 8;
/** The waiter that is being served, 0 for none; under the lock. From the moment it is set this waiter has its permits. @writer sync/semaphore-protocol, sync/semaphore (at first) @reader sync/semaphore-protocol */
export const SEM_SERVING = 9;
/** Permits that are left then. @writer sync/semaphore-protocol @reader sync/semaphore-protocol */
export const SEM_LEFT = 10;
/** Parties that wait for the others, under the lock. @writer sync/barrier @reader sync/barrier */
export const BARRIER_ARRIVED = 5;
/** Queue (two words) of the parties that wait. @writer goroutine/wait-queue @reader sync/barrier */
export const BARRIER_WAITERS = 6;
/** Parties there are. Set once. @writer sync/barrier @reader sync/barrier */
export const BARRIER_PARTIES = 8;

// WaitGroups: the words of a sync object beyond the common ones, under its lock.

/** Descriptor (first word) of the member that is being counted off, 0 for none. @writer sync/wait-group @reader sync/wait-group */
export const WG_MEMBER = 8;
/** The counter before that. @writer sync/wait-group @reader sync/wait-group */
export const WG_BEFORE = 9;

// ErrGroups: the words of a sync object beyond the common ones, all under its lock.

/** Members that run or have been queued. @writer context/err-group-record @reader context/err-group-record */
export const E_ACTIVE = 5;
/** How many may run at once, -1 for any number. @writer context/err-group-record @reader context/err-group-record */
export const E_LIMIT = 6;
/** First member that waits for the limit, linked through G_NEXT. @writer context/err-group-record @reader context/err-group-record */
export const E_PENDING = 7;
/** Last of them. @writer context/err-group-record @reader context/err-group-record */
export const E_PENDING_LAST = 8;
/** Queue (two words) of those who wait for all to end. @writer goroutine/wait-queue @reader goroutine/wait-queue */
export const E_WAITERS = 9;
/** Queue (two words) of those who wait for their member to start. @writer goroutine/wait-queue @reader goroutine/wait-queue */
export const E_STARTERS = 11;
/** Members that have been started, of those ever given. @writer context/err-group-record @reader context/err-group-record */
export const E_STARTED = 13;
/** Members ever given. @writer context/err-group-record @reader context/err-group-record */
export const E_GIVEN = 14;
/** First word of the block of EB_… words. @writer context/err-group-record @reader context/err-group-record */
export const E_BLOCK = 15;
/** In the block: the group's context. @writer context/err-group-record @reader context/err-group-record */
export const EB_CONTEXT = 0;
/** In the block: tag of the first error. @writer context/err-group-record @reader context/err-group-record */
export const EB_ERROR_TAG = 1;
/** In the block: payload of the first error. @writer context/err-group-record @reader context/err-group-record */
export const EB_ERROR = 2;
/** In the block: 1 once a member has failed, 2 if there was no room to keep its error. @writer context/err-group-record @reader context/err-group-record */
export const EB_FAILED = 4;
/** In the block: descriptor (first word) of the member that is being counted off, 0 for none. Under the group's lock. @writer context/err-group-record @reader context/err-group-record */
export const EB_MEMBER = 5;
/** In the block: E_ACTIVE before that. @writer context/err-group-record @reader context/err-group-record */
export const EB_ACTIVE = 6;
/** In the block: E_PENDING before that. @writer context/err-group-record @reader context/err-group-record */
export const EB_PENDING = 7;

// Contexts: the words of a sync object beyond the common ones, and a block in the slab for what few contexts have.

/** 0 live, 1 canceled, 2 deadline exceeded, 3 is being made. Once it is made changed once, under CONTEXT_LOCK. @writer context/tree @reader context/tree */
export const X_STATE = 5;
/** Parent's record, 0 for the background. @writer context/tree @reader context/tree */
export const X_PARENT = 6;
/** First child that is live; under CONTEXT_LOCK. @writer context/tree @reader context/tree */
export const X_CHILD = 7;
/** Next child of the same parent; under CONTEXT_LOCK. @writer context/tree @reader context/tree */
export const X_NEXT = 8;
/** Previous child of the same parent; under CONTEXT_LOCK. @writer context/tree @reader context/tree */
export const X_PREVIOUS = 9;
/** Record of the channel that is closed when the context is done, 0 while nobody has asked for it; under CONTEXT_LOCK. @writer context/tree @reader context/tree */
export const X_DONE = 10;
/** First word of the block of X_… words. @writer context/tree @reader context/tree */
export const X_BLOCK = 11;
/** Bit 0: it was canceled itself, and is not done because its parent is. Bit 1: it is done, and what follows from that is still to be done for it (ContextTree.afterEnd), for which it is kept. Changed under CONTEXT_LOCK, and by who does the latter. @writer context/tree @reader context/tree */
export const X_ORIGIN = 12;
/** Timer of its deadline, 0 for none; under CONTEXT_LOCK. @writer context/tree @reader context/tree */
export const X_TIMER = 13;
/** Tags of cause (bits 0–5), key (6–11) and value (12–17). @writer context/tree @reader context/tree */
export const X_TAGS = 14;
/** In the block: deadline, milliseconds since the epoch, a double; infinite for none. @writer context/context-block @reader context/context-block */
export const XB_DEADLINE = 0;
/** In the block: id of the goroutine whose own context this is, a double; 0 for none. @writer context/context-block @reader context/context-block */
export const XB_OWNER = 2;
/** In the block: payload of the cause. @writer context/context-block @reader context/context-block */
export const XB_CAUSE = 4;
/** In the block: payload of the key. @writer context/context-block @reader context/context-block */
export const XB_KEY = 6;
/** In the block: payload of the value. @writer context/context-block @reader context/context-block */
export const XB_VALUE = 8;
/** Words of the block. */
export const XB_WORDS = 16;
/** First word of the block of PL_… words, 0 for none: what was asked for the goroutine whose own context this is. @writer context/plan, context/tree (at first) @reader context/plan */
export const X_PLAN = 15;

// Plans: what `spawnWith` was asked to do if the goroutine is lost or takes too long. A block in the slab, named by the goroutine's own context and given back with that.

/** The goroutine. Set once, before it is queued. @writer context/plan @reader context/plan */
export const PL_GOROUTINE = 0;
/** How often it may be run again. Changed by the host, for a goroutine that lives nowhere. @writer context/plan @reader context/plan */
export const PL_RETRIES = 1;
/** How often it has been run again. Changed by the host, for a goroutine that lives nowhere. @writer context/plan @reader context/plan */
export const PL_RETRIED = 2;
/** Count and tags of the arguments that are kept, as in G_META. Set once. @writer context/plan @reader context/plan */
export const PL_META = 3;
/** 1 while the arguments are kept. @writer context/plan @reader context/plan */
export const PL_KEPT = 4;
/** Timer that ends the thread if the goroutine defies its cancellation, 0 for none. @writer context/time-limits, context/plan (at first) @reader context/time-limits */
export const PL_KILL_TIMER = 5;
/** 1 once its thread is to be ended for it. Under CONTEXT_LOCK. @writer context/time-limits, context/plan (at first) @reader context/time-limits, context/plan */
export const PL_CONDEMNED = 6;
/** How long its body may run, milliseconds, a double; infinite for any time. Set once. @writer context/plan @reader context/plan */
export const PL_TIMEOUT = 8;
/** How long it may go on after that, milliseconds, a double; infinite for any time. Set once. @writer context/plan @reader context/plan */
export const PL_KILL_AFTER = 10;
/** The kept arguments' payloads: four of two words. @writer context/plan @reader context/plan */
export const PL_ARGS = 12;
/** Words of a plan. */
export const PL_WORDS = 20;

// ───────────────────────────── region: timers ─────────────────────────────
// The timers of a processor form a leftist heap, linked through the records themselves: see queue/timer-heap. A record belongs to who took it from the
// pool (a sleeping goroutine, a channel, a handle), who also gives it back.

/** Timers that can exist at once, the unusable number 0 included. */
export const TIMER_CAPACITY: number = 1 << 20;
/** Words of a timer. */
export const T_WORDS = 16;
/** Subheap of the higher or equal rank; link of the free list. Under the heap's P_TIMER_LOCK. @writer queue/timer-heap, memory/record-pool @reader queue/timer-heap */
export const T_LEFT = 0;
/** Subheap of the lower or equal rank; under P_TIMER_LOCK. @writer queue/timer-heap @reader queue/timer-heap */
export const T_RIGHT = 1;
/** The timer above, 0 for the first; under P_TIMER_LOCK. @writer queue/timer-heap @reader queue/timer-heap */
export const T_PARENT = 2;
/** Steps down the right side to the end, from 1; under P_TIMER_LOCK. The record 0, "no timer", has rank 0. @writer queue/timer-heap @reader queue/timer-heap */
export const T_RANK = 3;
/** When it is due, a double in milliseconds of the runtime's clock; under P_TIMER_LOCK. @writer queue/timer-heap, scheduler/thread/timers (before it is put in) @reader queue/timer-heap */
export const T_WHEN = 4;
/** Its place among timers of the same time, a double; under P_TIMER_LOCK. @writer queue/timer-heap @reader queue/timer-heap */
export const T_ORDER = 6;
/** Milliseconds between two firings, a double; 0 for one that fires once. Under P_TIMER_LOCK. @writer scheduler/thread/timers @reader scheduler/thread/timers */
export const T_PERIOD = 8;
/** Processor + 1 in whose heap it stands, 0 for none. Changed under that processor's P_TIMER_LOCK: whoever changes it to 0 has won the timer. @writer scheduler/thread/timers @reader scheduler/thread/timers */
export const T_HEAP = 10;
/** What it does when it is due: a number of scheduler/thread/timers. @writer scheduler/thread/timers @reader scheduler/thread/timers */
export const T_KIND = 11;
/** Whom: a goroutine, a sync object, a number of the kind's own. @writer scheduler/thread/timers, channel/timer-channel, time/after-func @reader scheduler/thread/timers */
export const T_TARGET = 12;
/** Counts starts and stops, so that a firing under way can tell that it has been stopped since. @writer scheduler/thread/timers @reader time */
export const T_ARMING = 13;
/** Users of the record, for kinds that share it between a handle and a firing. @writer time @reader time */
export const T_REFS = 14;

// ───────────────────────────── region: functions ─────────────────────────────

/** Functions that a runtime can know. */
export const FN_CAPACITY = 8192;
/** Words of a function record. */
export const FN_WORDS = 4;
/** Hash of module URL and name. @writer goroutine/function-table @reader goroutine/function-table */
export const FN_HASH = 0;
/** Word of the text area at which its module URL, then its name, begin. @writer goroutine/function-table @reader goroutine/function-table */
export const FN_TEXT = 1;
/** UTF-16 units of the module URL. @writer goroutine/function-table @reader goroutine/function-table */
export const FN_URL_LENGTH = 2;
/** UTF-16 units of the name. @writer goroutine/function-table @reader goroutine/function-table */
export const FN_NAME_LENGTH = 3;
/** Words of the text area: two UTF-16 units each. */
export const FN_TEXT_WORDS: number = 1 << 19;

// ───────────────────────────── region: slab ─────────────────────────────
// Values too large for a slot. One line of bin heads and counters, a record for each chunk, a byte for each unit, the
// data. All words are 0 at first, so untouched parts cost nothing.

/** Words of a unit, 64 bytes: every block begins on one, and a block is named by its unit's number in the whole buffer. */
export const SLAB_UNIT_WORDS = 16;
/** Units of a chunk, 32 KiB: what large blocks and the runs of small ones are made of. */
export const SLAB_CHUNK_UNITS = 512;
/** Words of the slab's own state. */
export const SLAB_STATE_WORDS = 1024;
/** Lock of the chunks: 0 free, else the owner's thread number + 1. @writer memory/slab-spans @reader memory/slab-spans */
export const SLAB_LOCK = 0;
/** Chunks ever used: from here on the memory is untouched. @writer memory/slab-spans @reader memory/slab-spans, memory/slab */
export const SLAB_TOP = 1;
/** Free chunks before SLAB_TOP. @writer memory/slab-spans @reader memory/slab-spans */
export const SLAB_FREE_CHUNKS = 2;
/** Two words, a bit for each bin: set when the bin holds a span. @writer memory/slab-spans @reader memory/slab-spans */
export const SLAB_BIN_MAP = 4;
/** First free span + 1 of each bin. @writer memory/slab-spans @reader memory/slab-spans */
export const SLAB_BINS = 16;
/** Bins of free spans. */
export const SLAB_BIN_COUNT = 64;
/** Words of a chunk record. */
export const CHUNK_WORDS = 4;
/** In a span's first chunk: its length in chunks, negative while it is taken. @writer memory/slab-spans @reader memory/slab-spans, memory/slab */
export const CHUNK_SPAN = 0;
/** In a free span's last chunk: its length; 0 in the last chunk of a taken one. @writer memory/slab-spans @reader memory/slab-spans */
export const CHUNK_FOOT = 1;
/**
 * In a free span's first chunk: previous span + 1 of its bin. In a taken one's: class + 1 if it is a run of small blocks, 0 if it is one large
 * block. @writer memory/slab-spans @reader memory/slab-spans
 */
export const CHUNK_PREV = 2;
/** In a free span's first chunk: next span + 1 of its bin. @writer memory/slab-spans @reader memory/slab-spans */
export const CHUNK_NEXT = 3;

/** Where the parts of the slab lie: first words, and the number of chunks. */
export interface SlabLayout {
  readonly chunks: number;
  readonly state: number;
  readonly chunkRecords: number;
  /** One byte a unit: 0 unless a block in use begins there. @writer memory/slab @reader memory/slab */
  readonly marks: number;
  readonly data: number;
  /** Words in all. */
  readonly words: number;
}

/** Places the parts of a slab that begins at word `base`. */
export function slabLayoutFor(base: number, slabBytes: number): SlabLayout {
  const chunkWords = SLAB_CHUNK_UNITS * SLAB_UNIT_WORDS;
  const chunks = Math.floor(slabBytes / (chunkWords * 4));
  const chunkRecords = base + SLAB_STATE_WORDS;
  const marks = chunkRecords + inPages(chunks * CHUNK_WORDS);
  const data = marks + inPages((chunks * SLAB_CHUNK_UNITS) / 4);
  return { chunks, state: base, chunkRecords, marks, data, words: data + chunks * chunkWords - base };
}

/** Sizes that decide where every region lies. */
export interface MemoryShape {
  /** Number of processors, 1–1024. */
  readonly procs: number;
  /** Machine records beside the host's. */
  readonly maxMachines: number;
  /** Goroutine descriptors that can be used at once. */
  readonly maxGoroutines: number;
  /** Sync objects that can exist at once. */
  readonly maxObjects: number;
  /** Bytes for values too large for a slot. */
  readonly slabBytes: number;
}

/** First word of each region, for one shape. */
export interface Layout {
  readonly pools: number;
  readonly caches: number;
  readonly processors: number;
  readonly machines: number;
  readonly functions: number;
  readonly functionText: number;
  readonly objects: number;
  readonly goroutines: number;
  readonly timers: number;
  readonly slab: number;
  /** Words in all. */
  readonly words: number;
}

/** Regions begin on a page, so that an untouched one costs no memory. */
const PAGE_WORDS = 1024;

function inPages(words: number): number {
  return Math.ceil(words / PAGE_WORDS) * PAGE_WORDS;
}

/** Places the regions one after another. The same shape gives the same layout on every thread. */
export function layoutFor(shape: MemoryShape): Layout {
  let next = PAGE_WORDS;
  const region = (words: number): number => {
    const base = next;
    next += inPages(words);
    return base;
  };
  const pools = region(POOL_KINDS * POOL_WORDS);
  const caches = region((shape.procs + shape.maxMachines + 2) * CACHE_WORDS);
  const processors = region(shape.procs * P_WORDS);
  const machines = region((shape.maxMachines + 1) * M_WORDS);
  const functions = region((FN_CAPACITY + 1) * FN_WORDS);
  const functionText = region(FN_TEXT_WORDS);
  const objects = region((shape.maxObjects + 1) * O_WORDS);
  const goroutines = region((shape.maxGoroutines + AWAIT_RESERVE + 1) * G_WORDS);
  const timers = region(TIMER_CAPACITY * T_WORDS);
  const slab = region(slabLayoutFor(0, shape.slabBytes).words);
  return {
    pools,
    caches,
    processors,
    machines,
    functions,
    functionText,
    objects,
    goroutines,
    timers,
    slab,
    words: next,
  };
}
