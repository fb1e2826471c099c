package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// binary is a compiled test.
type binary struct {
	path, dir, pkg string
	limit          time.Duration    // of one run
	reaching       map[int][]string // tests that reach a mutant
}

// switches is added to each changed package. It reads the environment and
// writes without package os, which some packages do not import.
//
// If MUTANT is traced, it prints which mutants are reached: the first, second,
// fourth time and so on, so that loops do not print much.
const switches = `package %s

import (
	"strconv"
	"sync/atomic"
	"syscall"
)

var activeMutant = func() int {
	text, _ := syscall.Getenv("MUTANT")
	id, _ := strconv.Atoi(text)
	return id
}()

var reachedMutants [%d]atomic.Int64

func mutantOn(id int) bool {
	if activeMutant == %d {
		if n := reachedMutants[id].Add(1); n&(n-1) == 0 {
			_, _ = syscall.Write(1, []byte("\n@mutant "+strconv.Itoa(id)+"\n"))
		}
	}
	return id == activeMutant
}

func mutantOr[T any](id int, mutated, original func() T) T {
	if mutantOn(id) {
		return mutated()
	}
	return original()
}

var _ = mutantOr[int]
`

// traced is the value of MUTANT with which the tests print the mutants that they
// reach.
const traced = -1

// calibrate runs the unchanged tests. It derives the time limit of a mutant's
// run from the time that they take, and notes which tests reach which mutant.
func (s *sample) calibrate(ctx context.Context) error {
	for i := range s.binaries {
		b := &s.binaries[i]
		b.limit = s.limit
		start := time.Now()
		out, ok := b.run(ctx, traced, b.limit, "-test.v")
		if !ok {
			return fmt.Errorf("the tests of %s fail without any change:\n%s", b.pkg, out)
		}
		b.limit = min(s.limit, 5*time.Second+5*time.Since(start))
		b.reaching = reaching(out)
	}
	return nil
}

var traceLine = regexp.MustCompile(`(?m)^(?:=== (?:RUN|CONT|NAME) +([^/\s]+)|@mutant (\d+)$)`)

// reaching reads the output of traced tests.
func reaching(out string) map[int][]string {
	tests, current := map[int][]string{}, ""
	for _, line := range traceLine.FindAllStringSubmatch(out, -1) {
		if line[1] != "" {
			current = line[1]
			continue
		}
		id, _ := strconv.Atoi(line[2])
		if current != "" && !slices.Contains(tests[id], current) {
			tests[id] = append(tests[id], current)
		}
	}
	return tests
}

// survivors runs the tests against each mutant, s.parallel at a time.
func (s *sample) survivors(ctx context.Context, drawn []*mutant) []*mutant {
	var (
		mu    sync.Mutex
		group sync.WaitGroup
		out   []*mutant
		next  = make(chan *mutant)
	)
	for range s.parallel {
		group.Go(func() {
			for m := range next {
				killer, ok := s.run(ctx, m.id)
				mu.Lock()
				if ok {
					out = append(out, m)
				}
				if s.verbose {
					fmt.Printf("%s: %s\n", cmp.Or(killer, "survives"), m.place(s.dir))
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range drawn {
		if ctx.Err() != nil {
			break
		}
		next <- m
	}
	close(next)
	group.Wait()
	slices.SortFunc(out, func(a, b *mutant) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.lo, b.lo), cmp.Compare(a.id, b.id))
	})
	return out
}

// run runs the tests with one mutant switched on, and reports whether all pass,
// or else which has failed. It begins with the tests that reach the mutant.
func (s *sample) run(ctx context.Context, id int) (killer string, ok bool) {
	for i := range s.binaries {
		b := &s.binaries[i]
		if tests := b.reaching[id]; len(tests) > 0 {
			if out, ok := b.run(ctx, id, 5*time.Second+b.limit/5, "-test.run=^("+strings.Join(tests, "|")+")$"); !ok {
				return b.killer(out), false
			}
		}
	}
	for i := range s.binaries {
		b := &s.binaries[i]
		if out, ok := b.run(ctx, id, b.limit); !ok {
			return b.killer(out), false
		}
	}
	return "", true
}

var failedTest = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// killer is the test that has failed, or how the run has ended without one.
func (b *binary) killer(out string) string {
	if name := failedTest.FindStringSubmatch(out); name != nil {
		return b.pkg + "." + name[1]
	}
	return b.pkg + ", " + strings.TrimSpace(out[strings.LastIndexByte(out, '\n')+1:])
}

// run runs one binary. A mutant that fills the memory is stopped by a limit on
// the address space.
func (b *binary) run(ctx context.Context, id int, limit time.Duration, flags ...string) (string, bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	args := append([]string{"-c", `ulimit -v 8000000; exec "$0" "$@"`, b.path, "-test.failfast", "-test.short"}, flags...)
	cmd := exec.CommandContext(ctx, "sh", args...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "MUTANT="+strconv.Itoa(id))
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out) + "\n" + cmp.Or(ctx.Err(), err).Error(), false
	}
	return string(out), true
}
