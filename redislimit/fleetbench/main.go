// Fleetbench measures eight processes of 16 goroutines that share one token,
// against a fake CircleCI that allows 200 requests a second with a burst of 50:
// with the limiter on Redis, with local pacing alone, and with a Redis that is
// killed and started again in the middle. It needs redis-server in the PATH.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/redislimit"
)

const (
	processes = 8
	callers   = 16
	allowed   = 200 // requests a second
	burst     = 50
	shortJob  = 250 // calls of a process
)

// counts is what one process reports.
type counts struct {
	Calls, Failed int64
	FirstError    string
	Seconds       float64
}

func main() {
	duration := flag.Duration("d", 30*time.Second, "how long each row takes")
	child := flag.Bool("child", false, "be one of the processes")
	calls := flag.Int64("calls", 0, "how many calls a child makes; 0: until the time is over")
	redisAddr := flag.String("redis", "", "address of Redis, for a child")
	flag.Parse()
	if *child {
		if err := crawl(flag.Arg(0), flag.Arg(1), *redisAddr, *duration, *calls); err != nil {
			log.Fatal(err)
		}
		return
	}
	fmt.Printf("%s, %d CPUs; %d processes of %d goroutines, %v each row\n\n", runtime.Version(), runtime.NumCPU(), processes, callers, *duration)
	fmt.Println("| row | of the limit | answered 429 | failed | slowest process / mean | fastest / mean |")
	fmt.Println("|---|---|---|---|---|---|")
	for _, name := range []string{"local pacing", "redislimit", "redislimit, Redis restarted"} {
		if err := row(name, *duration, 0); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("\nShort jobs: %d calls of each process, in theory %.2f s\n\n", shortJob, float64(processes*shortJob-burst)/allowed)
	fmt.Println("| row | slowest process | fastest process | answered 429 | failed |")
	fmt.Println("|---|---|---|---|---|")
	for _, name := range []string{"local pacing", "redislimit"} {
		if err := row(name, time.Minute, shortJob); err != nil {
			log.Fatal(err)
		}
	}
}

// crawl calls the server until the time is over, or as often as calls says.
func crawl(url, token, redisAddr string, d time.Duration, calls int64) error {
	opts := []circleci.Option{circleci.WithBaseURL(url)}
	if redisAddr != "" {
		redis.SetLogger(silent{}) // it logs each failure to connect
		rdb := redis.NewClient(&redis.Options{Addr: redisAddr, ContextTimeoutEnabled: true})
		defer func() { _ = rdb.Close() }()
		opts = append(opts, circleci.WithLimiter(redislimit.New(rdb, token)))
	}
	client, err := circleci.NewClient(token, opts...)
	if err != nil {
		return err
	}
	var (
		out   counts
		mu    sync.Mutex
		group sync.WaitGroup
		ctx   = context.Background()
		next  atomic.Int64
		start = time.Now()
	)
	stop, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for range callers {
		group.Go(func() {
			for stop.Err() == nil && (calls == 0 || next.Add(1) <= calls) {
				_, err := client.Users.Me(ctx)
				mu.Lock()
				out.Calls++
				if err != nil {
					out.Calls--
					out.Failed++
					out.FirstError = err.Error()
				}
				mu.Unlock()
			}
		})
	}
	defer time.AfterFunc(d+10*time.Second, func() { os.Exit(3) }).Stop() // a caller that waits longer has failed
	group.Wait()
	out.Seconds = time.Since(start).Seconds()
	return json.NewEncoder(os.Stdout).Encode(&out)
}

// silent is a logger for go-redis.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func row(name string, d time.Duration, calls int64) error {
	fake := circlecitest.NewServer()
	defer fake.Close()
	fake.Weather(circlecitest.RateLimit(burst, burst*time.Second/allowed))
	var served, refused atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counter := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		fake.ServeHTTP(counter, r)
		if counter.status == http.StatusTooManyRequests {
			refused.Add(1)
		} else {
			served.Add(1)
		}
	}))
	defer front.Close()

	addr := ""
	if name != "local pacing" {
		var err error
		if addr, err = freeAddress(); err != nil {
			return err
		}
		server, err := startRedis(addr)
		if err != nil {
			return err
		}
		defer func() { stopRedis(server) }()
		if strings.Contains(name, "restarted") {
			go func() {
				time.Sleep(d * 4 / 10)
				stopRedis(server)
				time.Sleep(d * 2 / 10)
				before := refused.Load()
				again, err := startRedis(addr)
				if err != nil {
					log.Fatal(err)
				}
				server = again
				time.Sleep(2 * time.Second)
				after := refused.Load()
				time.Sleep(d / 5)
				fmt.Fprintf(os.Stderr, "429: %d until Redis was back, %d in the 2 s after, %d later\n", before, after-before, refused.Load()-after)
			}()
		}
	}
	results, err := runChildren(front.URL, fake.Token(), addr, d, calls)
	if err != nil {
		return err
	}
	var total, failed, least, most int64
	least = -1
	for _, r := range results {
		total, failed, most = total+r.Calls, failed+r.Failed, max(most, r.Calls)
		if least < 0 || r.Calls < least {
			least = r.Calls
		}
		if r.FirstError != "" {
			fmt.Fprintln(os.Stderr, r.FirstError)
		}
	}
	if calls > 0 {
		slices.SortFunc(results, func(a, b counts) int { return cmp.Compare(a.Seconds, b.Seconds) })
		fmt.Printf("| %s | %.1f s | %.1f s | %d | %d |\n", name, results[processes-1].Seconds, results[0].Seconds, refused.Load(), failed)
		return nil
	}
	mean := float64(total) / processes
	fmt.Printf("| %s | %.1f %% | %.2f %% (%d) | %d | %.2f | %.2f |\n", name, 100*float64(total)/(allowed*d.Seconds()+burst),
		100*float64(refused.Load())/float64(served.Load()+refused.Load()), refused.Load(), failed, float64(least)/mean, float64(most)/mean)
	return nil
}

func runChildren(url, token, redisAddr string, d time.Duration, calls int64) ([]counts, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	results := make([]counts, processes)
	errs := make(chan error, processes)
	for i := range results {
		go func() {
			cmd := exec.Command(self, "-child", "-redis="+redisAddr, "-d="+d.String(), fmt.Sprintf("-calls=%d", calls), url, token)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err == nil {
				err = json.Unmarshal(out, &results[i])
			}
			errs <- err
		}()
	}
	for range results {
		if e := <-errs; e != nil {
			err = e
		}
	}
	return results, err
}

// statusWriter keeps the status of a response.
type statusWriter struct {
	http.ResponseWriter

	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

func startRedis(addr string) (*exec.Cmd, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("redis-server", "--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--dir", os.TempDir())
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	for range 100 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			return cmd, conn.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	stopRedis(cmd)
	return nil, fmt.Errorf("redis-server does not listen on %s", addr)
}

// stopRedis kills one process, by its ID.
func stopRedis(cmd *exec.Cmd) {
	_ = cmd.Process.Kill() // it may have ended
	_ = cmd.Wait()
}
