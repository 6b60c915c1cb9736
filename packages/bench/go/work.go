package main

import (
	"math"
	"sort"
	"sync"
	"time"
)

var sink uint32

// burn keeps a core busy for a number of steps, so that a task is an amount of work and not a time on the
// clock: two tasks that share a core must take twice as long.
func burn(steps int) uint32 {
	x := uint32(2463534242)
	for i := 0; i < steps; i++ {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
	}
	return x
}

// stepsPerUs is the best of several tries: a try can only be disturbed into being slower.
func stepsPerUs() float64 {
	const steps = 2_000_000
	best := math.Inf(1)
	for try := 0; try < 10; try++ {
		start := time.Now()
		sink = burn(steps)
		best = math.Min(best, float64(time.Since(start).Nanoseconds())/1e3)
	}
	return steps / best
}

// `size` tasks of some µs each; how many times faster than one after the other.
func even(o options) float64 {
	tasks := make([]int, o.size)
	for i := range tasks {
		tasks[i] = int(o.us * stepsPerUsOnce())
	}
	serial, parallel := compare(o.budget, tasks)
	return serial / parallel
}

// `size` tasks, one in twenty of 20 ms and the rest of 0.2 ms, on two processors; times the ideal, which is
// half of the serial time.
func skewed(o options) float64 {
	tasks := make([]int, o.size)
	for i := range tasks {
		us := 200.0
		if isLong(i, o.size, o.order) {
			us = 20000
		}
		tasks[i] = int(us * stepsPerUsOnce())
	}
	serial, parallel := compare(o.budget, tasks)
	return parallel / (serial / 2)
}

func isLong(index, size int, order string) bool {
	long := size / 20
	switch order {
	case "first":
		return index < long
	case "last":
		return index >= size-long
	default:
		return index%20 == 10
	}
}

var measuredSteps float64

func stepsPerUsOnce() float64 {
	if measuredSteps == 0 {
		measuredSteps = stepsPerUs()
	}
	return measuredSteps
}

// compare runs the list serially and with a goroutine per task in turn and returns the median times in
// milliseconds.
func compare(budget time.Duration, tasks []int) (serial, parallel float64) {
	var serials, parallels []float64
	for start := time.Now(); len(serials) < 3 || time.Since(start) < budget; {
		serials = append(serials, timed(func() { runSerially(tasks) }))
		parallels = append(parallels, timed(func() { runInGoroutines(tasks) }))
	}
	return median(serials), median(parallels)
}

func timed(body func()) float64 {
	start := time.Now()
	body()
	return float64(time.Since(start).Nanoseconds()) / 1e6
}

func runSerially(tasks []int) {
	for _, steps := range tasks {
		sink = burn(steps)
	}
}

func runInGoroutines(tasks []int) {
	var wg sync.WaitGroup
	results := make([]uint32, len(tasks))
	wg.Add(len(tasks))
	for i, steps := range tasks {
		go func(i, steps int) {
			results[i] = burn(steps)
			wg.Done()
		}(i, steps)
	}
	wg.Wait()
}

func median(values []float64) float64 {
	sort.Float64s(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}
