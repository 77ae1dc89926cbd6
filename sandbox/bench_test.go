//go:build linux

package sandbox

import (
	"context"
	"testing"
	"time"
)

// BenchmarkStart measures a worker from nothing to confined and ready.
func BenchmarkStart(b *testing.B) {
	for _, mode := range []Mode{Strict, Process, Off} {
		b.Run(mode.String(), func(b *testing.B) {
			for b.Loop() {
				w, err := Start(b.Context(), Spec{Mode: mode})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				w.Close()
				b.StartTimer()
			}
		})
	}
}

// BenchmarkRun measures one empty request.
func BenchmarkRun(b *testing.B) {
	w, err := Start(b.Context(), Spec{})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	req := Request{Kind: "names", Items: []Item{{Deadline: time.Minute}}}
	for b.Loop() {
		if err := w.Run(b.Context(), req, func(int, []byte, error) bool { return true }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCancel measures from the cancellation of a busy request to the worker's end.
func BenchmarkCancel(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w, err := Start(b.Context(), Spec{})
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = w.Run(ctx, Request{Kind: "spin", Items: []Item{{}}}, func(int, []byte, error) bool { return true })
		}()
		time.Sleep(5 * time.Millisecond)
		b.StartTimer()
		cancel()
		<-done
		b.StopTimer()
		w.Close()
		b.StartTimer()
	}
}
