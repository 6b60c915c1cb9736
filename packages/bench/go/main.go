// The Go side of the benchmarks: one case per run, one line of JSON on standard output.
//
//	heddle-bench-go -case fib -size 25 -procs 2 -ms 1000
//
// A case is a function that does a batch of operations and says how many there were. Batches are repeated
// until the time is spent; the figure is the time of all of them over the number of operations, so what the
// garbage collector costs is in it, as it is on the other side.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

// One line of output, the same shape as that of a Node child.
type report struct {
	Samples []sample `json:"samples"`
	CPUMs   float64  `json:"cpuMs"`
}

type sample struct {
	Value float64 `json:"value"`
}

// What a case is given: its size (goroutines, capacity, primes … as the case says) and the order of a skewed
// list, the µs of a task of an even one.
type options struct {
	size   int
	order  string
	us     float64
	budget time.Duration
}

// A case measures itself and answers in its own unit.
type benchCase func(o options) float64

var cases = map[string]benchCase{
	"spawn-join":     spawnJoin,
	"fib":            fibEach,
	"gosched":        gosched,
	"ping-pong":      pingPong,
	"buffered":       buffered,
	"four-by-four":   fourByFour,
	"select":         selectReady,
	"select-from":    selectProducers,
	"mutex":          mutexAlone,
	"contend":        mutexContended,
	"result-handle":  resultHandle,
	"result-channel": resultChannel,
	"sieve":          sieve,
	"parked":         parked,
	"park":           park,
	"wake":           wake,
	"sleepers":       sleepers,
	"timer-lateness": timerLateness,
	"even":           even,
	"skewed":         skewed,
}

func main() {
	name := flag.String("case", "", "which case")
	size := flag.Int("size", 1, "its size")
	order := flag.String("order", "spread", "where a skewed list has its long tasks: first, last, spread")
	us := flag.Float64("us", 100, "how long a task of an even list is, in µs")
	procs := flag.Int("procs", 1, "GOMAXPROCS")
	ms := flag.Int("ms", 1000, "how long to measure")
	flag.Parse()

	run, known := cases[*name]
	if !known {
		fmt.Fprintf(os.Stderr, "case: unknown %q\n", *name)
		os.Exit(2)
	}
	runtime.GOMAXPROCS(*procs)
	value := run(options{*size, *order, *us, time.Duration(*ms) * time.Millisecond})
	json.NewEncoder(os.Stdout).Encode(report{[]sample{{value}}, cpuMs()})
}

// nsPerOp repeats a batch for a quarter of the budget unmeasured and then for the whole of it.
func nsPerOp(budget time.Duration, batch func() int) float64 {
	repeat(budget/4, batch)
	elapsed, operations := repeat(budget, batch)
	return float64(elapsed.Nanoseconds()) / float64(operations)
}

func repeat(budget time.Duration, batch func() int) (elapsed time.Duration, operations int) {
	start := time.Now()
	for elapsed < budget {
		operations += batch()
		elapsed = time.Since(start)
	}
	return elapsed, operations
}

func cpuMs() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
}
