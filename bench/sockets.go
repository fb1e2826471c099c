package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/circleci-go/circleci"
)

// contender is a client. get makes a call with a name, such as that of one of the
// server's projects, and finish closes the client.
type contender struct {
	get    func(ctx context.Context, name string) error
	finish func()
}

// handClient has the two idle connections of the standard library's default.
func handClient(s *server, url string) contender { return tunedClient(s, url, 0, 0) }

// tunedClient keeps a number of idle connections, and has at most a number of
// connections; 0 means no limit.
func tunedClient(s *server, url string, idle, most int) contender {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{RootCAs: s.roots()}
	t.MaxIdleConns, t.MaxIdleConnsPerHost, t.MaxConnsPerHost = max(idle, t.MaxIdleConns), idle, most
	client := &http.Client{Transport: t}
	return contender{func(ctx context.Context, name string) error {
		_, err := byHand[projectByHand](ctx, client, url+"/api/v2/project/gh/acme/"+name)
		return err
	}, t.CloseIdleConnections}
}

func sdkClient(s *server, url string) contender {
	c, err := circleci.NewClient(token, circleci.WithBaseURL(url), circleci.WithRootCAs(s.roots()))
	if err != nil {
		log.Fatal(err)
	}
	return contender{func(ctx context.Context, name string) error {
		_, err := c.Projects.Get(ctx, circleci.ProjectSlug("gh/acme/"+name))
		return err
	}, func() { _ = c.Close() }}
}

// cpu returns the CPU seconds that this process has used.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// fanOut has callers make calls, and returns the seconds it took.
func (c contender) fanOut(calls, callers int, name func() string) float64 {
	start, work := time.Now(), make(chan struct{})
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range work {
				if err := c.get(context.Background(), name()); err != nil {
					log.Fatal(err)
				}
			}
		})
	}
	for range calls {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
	return time.Since(start).Seconds()
}

// measured is what a run of a contender has cost.
type measured struct{ seconds, cpu, connections []float64 }

func (m *measured) of(s *server, c contender, calls, callers int, name string) float64 {
	before := cpu()
	seconds := c.fanOut(calls, callers, func() string { return name })
	m.cpu = append(m.cpu, cpu()-before)
	m.seconds = append(m.seconds, seconds)
	c.finish()
	m.connections = append(m.connections, float64(s.connections()))
	return seconds
}

// fanOuts measures the package beside code by hand, in turns, with new clients
// in each round.
func fanOuts(s *server, rounds, calls, callers int, name, url string, idle, most int) (hand, ours measured) {
	inTurns(rounds,
		func() float64 { return hand.of(s, tunedClient(s, url, idle, most), calls, callers, name) },
		func() float64 { return ours.of(s, sdkClient(s, url), calls, callers, name) })
	return hand, ours
}

func tlsFanOut(rounds int) []result {
	const calls, callers = 2000, 16
	s := startServer()
	defer s.stop()
	hand, ours := fanOuts(s, rounds, calls, callers, "web", s.TLS, 0, 0)
	tuned, again := fanOuts(s, rounds, calls, callers, "web", s.TLS, 64, 0)
	return []result{
		atMost("2,000 GETs of 16 goroutines over TLS: handshakes", "%.0f", median(hand.connections), median(ours.connections), callers),
		ratio("    CPU of the client", median(hand.cpu), median(ours.cpu), 0.40),
		ratio("    time, by hand with 64 idle connections", median(tuned.seconds), median(again.seconds), 1.15),
	}
}

// loopback makes one call after the other, in short turns: see compare.
func loopback(rounds int) []result {
	s := startServer()
	defer s.stop()
	hand, ours := fanOuts(s, 10*rounds, 400, 1, "web", s.Plain, 0, 0)
	return []result{
		ratio("a small GET over loopback: time", median(hand.seconds), median(ours.seconds), 1.00),
		ratio("    CPU of the client", median(hand.cpu), median(ours.cpu), 1.00),
	}
}

func http2(rounds int) []result {
	s := startServer()
	defer s.stop()
	hand, ours := fanOuts(s, min(rounds, 7), 4000, 64, "web", s.HTTP2, 64, 0)
	return []result{
		atMost("4,000 GETs of 64 goroutines over HTTP/2: connections", "%.0f", median(hand.connections), median(ours.connections), 1),
		ratio("    time", median(hand.seconds), median(ours.seconds), 1.15),
	}
}

// crowds call a server that has no limit.
func crowds(rounds int) []result {
	s := startServer()
	defer s.stop()
	var out []result
	for _, c := range []struct {
		callers, calls int
		latency        string
	}{{16, 4000, "5ms"}, {100, 4000, "5ms"}, {100, 2000, "100ms"}, {1000, 40_000, "5ms"}} {
		hand, ours := fanOuts(s, min(rounds, 3), c.calls, c.callers, c.latency, s.Plain, 1000, 0)
		out = append(out, ratio(fmt.Sprintf("%d calls of %s by %d goroutines: time", c.calls, c.latency, c.callers),
			median(hand.seconds), median(ours.seconds), 1.15))
	}
	return out
}

// limits compares the counting of connections with a fixed limit, which is too
// high for few callers, or too low for many.
func limits(rounds int) []result {
	const most = 100
	s := startServer()
	defer s.stop()
	few, counted := fanOuts(s, min(rounds, 3), 4000, 64, "web", s.TLS, most, most)
	many, quick := fanOuts(s, min(rounds, 3), 5000, 1000, "100ms", s.Plain, most, most)
	return []result{
		atMost("64 callers over TLS, by hand with at most 100 connections: connections", "%.0f", median(few.connections), median(counted.connections), 64),
		ratio("1,000 callers with 100 ms each, by hand the same: time", median(many.seconds), median(quick.seconds), 0.5),
	}
}

func connections(int) []result {
	s := startServer()
	defer s.stop()
	count := func(c contender, name string) float64 {
		defer c.finish()
		for range 100 {
			if err := c.get(context.Background(), name); (err != nil) != (name == "missing") {
				log.Fatal(name, ": ", err)
			}
		}
		return float64(s.connections())
	}
	var out []result
	for _, name := range []string{"plain", "chunked", "gzip", "missing"} {
		out = append(out, atMost("connections for 100 calls in a row: "+name, "%.0f",
			count(handClient(s, s.Plain), name), count(sdkClient(s, s.Plain), name), 1))
	}
	return out
}

// artifact compares the memory and speed of processes that download a file.
func artifact(rounds int) []result {
	s := startServer()
	defer s.stop()
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	url, file := s.Plain+"/artifact", filepath.Join(dir, "artifact")
	memory := map[string]float64{} // the most of all rounds, in MiB
	// Writes left over from one download must not slow down the next.
	clean := func() { _ = os.Remove(file); syscall.Sync() }
	by := func(how string) func() float64 {
		return func() float64 {
			clean()
			out, err := child("download", how, url, file).Output()
			var seconds, mib float64
			if _, scanErr := fmt.Sscan(string(out), &seconds, &mib); err != nil || scanErr != nil {
				log.Fatal("download: ", err, scanErr)
			}
			memory[how] = max(memory[how], mib)
			return seconds
		}
	}
	contenders := []func() float64{by("hand"), by("sdk")}
	if _, err := exec.LookPath("curl"); err == nil {
		contenders = append(contenders, func() float64 {
			clean()
			start := time.Now()
			if err := exec.Command("curl", "-sfo", file, url).Run(); err != nil {
				log.Fatal("curl: ", err)
			}
			return time.Since(start).Seconds()
		})
	}
	medians := inTurns(min(rounds, 5), contenders...)
	ours := medians[0] / medians[1]
	what := "a file of 512 MiB: throughput"
	if len(medians) > 2 {
		what += fmt.Sprintf(" (curl %.2f)", medians[0]/medians[2])
	}
	return []result{
		{what, "1.00", fmt.Sprintf("%.2f", ours), "≥ 1.50", ours >= 1.5},
		atMost("    MiB of memory over the program's own", "%.1f", memory["hand"], memory["sdk"], 8),
	}
}

// download is the child process. It prints the seconds it took, and the MiB of
// memory beyond what the program used before.
func download(args []string) {
	how, url, name := args[0], args[1], args[2]
	ctx := context.Background()
	file, err := os.Create(name)
	if err != nil {
		log.Fatal(err)
	}
	base := strings.TrimSuffix(url, "/artifact")
	var get func() (int64, error)
	switch how {
	case "hand":
		client := &http.Client{}
		_, err = byHand[projectByHand](ctx, client, base+"/api/v2/project/gh/acme/web")
		get = func() (int64, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
			if err != nil {
				return 0, err
			}
			req.Header.Set("Circle-Token", token)
			resp, err := client.Do(req)
			if err != nil {
				return 0, err
			}
			defer func() { _ = resp.Body.Close() }()
			return io.Copy(file, resp.Body)
		}
	case "sdk":
		var c *circleci.Client
		if c, err = circleci.NewClient(token, circleci.WithBaseURL(base)); err != nil {
			log.Fatal(err)
		}
		_, err = c.Projects.Get(ctx, "gh/acme/web")
		get = func() (int64, error) { return c.Jobs.DownloadArtifact(ctx, circleci.Artifact{URL: url}, file) }
	}
	if err != nil {
		log.Fatal(err)
	}
	before, start := peak(), time.Now()
	n, err := get()
	if err != nil || n != artifactSize {
		log.Fatal(n, " bytes, ", err)
	}
	if err := file.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(time.Since(start).Seconds(), peak()-before)
}

// peak returns the maximum memory of this process in MiB. The value of
// getrusage is inherited from the parent.
func peak() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		log.Fatal("the memory of a process is known on Linux alone: ", err)
	}
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseFloat(strings.Fields(line)[0], 64)
	if err != nil {
		log.Fatal(err)
	}
	return kib / 1024
}
