package main

import (
	"sync"
	"sync/atomic"
)

const messages = 10000

// A round trip over two unbuffered channels.
func pingPong(o options) float64 {
	return nsPerOp(o.budget, func() int {
		ping, pong := make(chan int), make(chan int)
		go func() {
			for v := range ping {
				pong <- v
			}
			close(pong)
		}()
		for i := 0; i < messages; i++ {
			ping <- i
			<-pong
		}
		close(ping)
		<-pong
		return messages
	})
}

// One producer, one consumer, a buffer of `size`.
func buffered(o options) float64 {
	return nsPerOp(o.budget, func() int {
		ch := make(chan int, o.size)
		go func() {
			for i := 0; i < messages; i++ {
				ch <- i
			}
			close(ch)
		}()
		for range ch {
		}
		return messages
	})
}

// Four producers and four consumers on one channel with a buffer of `size`.
func fourByFour(o options) float64 {
	return nsPerOp(o.budget, func() int {
		ch := make(chan int, o.size)
		var producers, consumers sync.WaitGroup
		producers.Add(4)
		consumers.Add(4)
		for i := 0; i < 4; i++ {
			go func() {
				for j := 0; j < messages/4; j++ {
					ch <- j
				}
				producers.Done()
			}()
			go func() {
				for range ch {
				}
				consumers.Done()
			}()
		}
		producers.Wait()
		close(ch)
		consumers.Wait()
		return messages
	})
}

// Receives what four producers send on a channel each.
func selectProducers(o options) float64 {
	return nsPerOp(o.budget, func() int {
		var channels [4]chan int
		for i := range channels {
			ch := make(chan int)
			channels[i] = ch
			go func() {
				for j := 0; j < messages/4; j++ {
					ch <- j
				}
			}()
		}
		a, b, c, d := channels[0], channels[1], channels[2], channels[3]
		for i := 0; i < messages; i++ {
			select {
			case <-a:
			case <-b:
			case <-c:
			case <-d:
			}
		}
		return messages
	})
}

// Receives from four channels that always have something; what is taken is put back.
func selectReady(o options) float64 {
	a, b, c, d := make(chan int, 1), make(chan int, 1), make(chan int, 1), make(chan int, 1)
	a <- 1
	b <- 1
	c <- 1
	d <- 1
	return nsPerOp(o.budget, func() int {
		for i := 0; i < messages; i++ {
			select {
			case v := <-a:
				a <- v
			case v := <-b:
				b <- v
			case v := <-c:
				c <- v
			case v := <-d:
				d <- v
			}
		}
		return messages
	})
}

func mutexAlone(o options) float64 {
	var mu sync.Mutex
	return nsPerOp(o.budget, func() int {
		for i := 0; i < messages; i++ {
			mu.Lock()
			mu.Unlock()
		}
		return messages
	})
}

// `size` goroutines that want one mutex.
func mutexContended(o options) float64 {
	return nsPerOp(o.budget, func() int {
		var mu sync.Mutex
		var wg sync.WaitGroup
		wg.Add(o.size)
		for i := 0; i < o.size; i++ {
			go func() {
				for j := 0; j < messages/o.size; j++ {
					mu.Lock()
					mu.Unlock()
				}
				wg.Done()
			}()
		}
		wg.Wait()
		return messages
	})
}

// The time in milliseconds to find `size` primes through a chain of filters. The textbook's program leaves
// its goroutines behind; this one ends them: the source closes its channel, the filters pass that on, and
// what is on its way is drained.
func sieve(o options) float64 {
	return 1e-6 * nsPerOp(o.budget, func() int {
		var enough atomic.Bool
		numbers := make(chan int)
		go count(numbers, &enough)
		for found := 0; found < o.size; found++ {
			prime := <-numbers
			filtered := make(chan int)
			go filter(numbers, filtered, prime)
			numbers = filtered
		}
		enough.Store(true)
		for range numbers {
		}
		return 1
	})
}

func count(out chan<- int, enough *atomic.Bool) {
	for i := 2; !enough.Load(); i++ {
		out <- i
	}
	close(out)
}

func filter(in <-chan int, out chan<- int, prime int) {
	for i := range in {
		if i%prime != 0 {
			out <- i
		}
	}
	close(out)
}
