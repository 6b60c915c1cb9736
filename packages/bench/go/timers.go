package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// The time in milliseconds until `size` goroutines that sleep 10 ms each have ended.
func sleepers(o options) float64 {
	return 1e-6 * nsPerOp(o.budget, func() int {
		var wg sync.WaitGroup
		wg.Add(o.size)
		for i := 0; i < o.size; i++ {
			go func() {
				time.Sleep(10 * time.Millisecond)
				wg.Done()
			}()
		}
		wg.Wait()
		return 1
	})
}

// By how many milliseconds a sleep of 1 ms is late beside `size` goroutines that never rest; the median.
func timerLateness(o options) float64 {
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Add(o.size)
	for i := 0; i < o.size; i++ {
		go func() {
			for !stop.Load() {
				atomic.StoreUint32(&sink, burn(1000))
			}
			wg.Done()
		}()
	}
	sleepLateness(o.budget / 4)
	late := sleepLateness(o.budget)
	stop.Store(true)
	wg.Wait()
	return median(late)
}

func sleepLateness(budget time.Duration) (lateMs []float64) {
	for start := time.Now(); time.Since(start) < budget; {
		began := time.Now()
		time.Sleep(time.Millisecond)
		lateMs = append(lateMs, float64((time.Since(began)-time.Millisecond).Nanoseconds())/1e6)
	}
	return lateMs
}
