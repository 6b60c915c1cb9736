package main

import (
	"runtime"
	"sync"
	"time"
)

// One at a time, a channel is Go's faster way to wait for the end (236 ns against 281 with a WaitGroup); in
// batches it is the WaitGroup (161 against 256).
func spawnJoin(o options) float64 {
	if o.size == 1 {
		done := make(chan struct{}, 1)
		return nsPerOp(o.budget, func() int {
			for i := 0; i < 1000; i++ {
				go func() { done <- struct{}{} }()
				<-done
			}
			return 1000
		})
	}
	return nsPerOp(o.budget, func() int {
		var wg sync.WaitGroup
		wg.Add(o.size)
		for i := 0; i < o.size; i++ {
			go func() { wg.Done() }()
		}
		wg.Wait()
		return o.size
	})
}

// Results through memory that the spawner reads after a WaitGroup, which is what Go has instead of handles.
func resultHandle(o options) float64 {
	results := make([]int, o.size)
	return nsPerOp(o.budget, func() int {
		var wg sync.WaitGroup
		wg.Add(o.size)
		for i := 0; i < o.size; i++ {
			go func(i int) {
				results[i] = i
				wg.Done()
			}(i)
		}
		wg.Wait()
		return o.size
	})
}

// Results through a channel that has room for all of them.
func resultChannel(o options) float64 {
	results := make(chan int, o.size)
	return nsPerOp(o.budget, func() int {
		for i := 0; i < o.size; i++ {
			go func(i int) { results <- i }(i)
		}
		for i := 0; i < o.size; i++ {
			<-results
		}
		return o.size
	})
}

// A goroutine per call. Results in the caller's frame and a WaitGroup are the fastest of the forms tried: 463
// ns per call on one P, against 615 with a channel made per call.
func fib(n int, result *int, caller *sync.WaitGroup) {
	defer caller.Done()
	if n < 2 {
		*result = n
		return
	}
	var left, right int
	var calls sync.WaitGroup
	calls.Add(2)
	go fib(n-1, &left, &calls)
	go fib(n-2, &right, &calls)
	calls.Wait()
	*result = left + right
}

func fibEach(o options) float64 {
	calls := callsOfFib(o.size)
	return nsPerOp(o.budget, func() int {
		var result int
		var wg sync.WaitGroup
		wg.Add(1)
		go fib(o.size, &result, &wg)
		wg.Wait()
		return calls
	})
}

// How many calls fib(n) makes, itself included.
func callsOfFib(n int) int {
	if n < 2 {
		return 1
	}
	return 1 + callsOfFib(n-1) + callsOfFib(n-2)
}

func gosched(o options) float64 {
	turns := 100000 / o.size
	return nsPerOp(o.budget, func() int {
		var wg sync.WaitGroup
		wg.Add(o.size)
		for i := 0; i < o.size; i++ {
			go func() {
				for turn := 0; turn < turns; turn++ {
					runtime.Gosched()
				}
				wg.Done()
			}()
		}
		wg.Wait()
		return turns * o.size
	})
}

// Bytes for each of `size` goroutines that wait on one channel.
func parked(o options) float64 {
	before := bytesInUse()
	var after uint64
	parkAndWake(o.size, func() { after = bytesInUse() })
	return float64(after-before) / float64(o.size)
}

// Milliseconds from the first of `size` goroutines until the last is about to wait on the channel.
func park(o options) float64 {
	return meanMs(o, func() time.Duration {
		parking, _ := parkAndWake(o.size, func() {})
		return parking
	})
}

// Milliseconds from the close of the channel until the last of `size` goroutines that wait on it has ended.
func wake(o options) float64 {
	return meanMs(o, func() time.Duration {
		_, waking := parkAndWake(o.size, func() {})
		return waking
	})
}

// The mean of three passes or more; a million goroutines take seconds and are started once.
func meanMs(o options, pass func() time.Duration) float64 {
	atLeast := 3
	if o.size >= 1_000_000 {
		atLeast = 1
	}
	var sum time.Duration
	passes := 0
	for start := time.Now(); passes < atLeast || time.Since(start) < o.budget; passes++ {
		sum += pass()
	}
	return float64(sum.Nanoseconds()) / float64(passes) / 1e6
}

func parkAndWake(size int, whileParked func()) (parking, waking time.Duration) {
	release := make(chan struct{})
	var ready, ended sync.WaitGroup
	ready.Add(size)
	ended.Add(size)
	spawned := time.Now()
	for i := 0; i < size; i++ {
		go func() {
			ready.Done()
			<-release
			ended.Done()
		}()
	}
	ready.Wait()
	parking = time.Since(spawned)
	whileParked()
	began := time.Now()
	close(release)
	ended.Wait()
	return parking, time.Since(began)
}

func bytesInUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.Sys - stats.HeapIdle
}
