//go:build linux

package sandbox

import (
	"errors"
	"flag"
	"os"
	"runtime"
	"testing"
	"time"
)

// soak asks for the long forms: `make soak`.
var soak = flag.Bool("soak", false, "run the long forms of the soak tests")

func long(short, full int) int {
	if *soak {
		return full
	}
	return short
}

// TestSoakLoad: whatever the runtime does under load, on one, two or sixteen threads, is on the list.
func TestSoakLoad(t *testing.T) {
	for _, procs := range []int{1, 2, 16} {
		began := time.Now()
		for range long(1, 60) {
			if err := runLoad(t, Spec{Procs: procs}, 5*time.Minute); err != nil {
				t.Fatalf("GOMAXPROCS=%d: %v", procs, err)
			}
		}
		t.Logf("GOMAXPROCS=%d: %d runs in %s", procs, long(1, 60), time.Since(began).Round(time.Second))
	}
}

// TestSoakCrashes: workers that die leave nothing behind in the parent.
func TestSoakCrashes(t *testing.T) {
	kinds := []string{"exec", "panic", "exit", "segv", "nil"}
	crash := func(n int) {
		for i := range n {
			w, err := Start(t.Context(), Spec{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = answers(t, w, Request{Kind: kinds[i%len(kinds)], Items: []Item{{}}})
			if _, ok := errors.AsType[*Failure](err); !ok {
				t.Fatal(err)
			}
			w.Close()
		}
	}
	crash(10) // what is made once is made now
	files, memory, routines := openDescriptors(t), residentOf(os.Getpid()), runtime.NumGoroutine()
	n := long(40, 1000)
	crash(n)
	runtime.GC()
	t.Logf("%d crashes: descriptors %d -> %d, resident %d -> %d KiB", n, files, openDescriptors(t), memory>>10, residentOf(os.Getpid())>>10)
	if got := openDescriptors(t); got > files {
		t.Errorf("%d descriptors became %d", files, got)
	}
	if got := runtime.NumGoroutine(); got > routines+2 {
		t.Errorf("%d goroutines became %d", routines, got)
	}
	if got := residentOf(os.Getpid()); got > memory+24<<20 {
		t.Errorf("resident memory grew from %d to %d bytes", memory, got)
	}
}
