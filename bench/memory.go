package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// memory responds to requests without a network.
type memory func(*http.Request) string

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	body := m(r)
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

const token = "CCIPAT_bench"

func sdk(rt http.RoundTripper) *circleci.Client {
	c, err := circleci.NewClient(token, circleci.WithHTTPClient(&http.Client{Transport: rt}))
	if err != nil {
		log.Fatal(err)
	}
	return c
}

// byHand gets a URL and decodes the response, as hand-written code does.
func byHand[T any](ctx context.Context, client *http.Client, url string) (*T, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Circle-Token", token)
	req.Header.Set("Accept", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	out := new(T)
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return nil, err
	}
	return out, nil
}

const api = "https://circleci.com/api/v2"

// compare measures two functions in turns, for a second in each round. The turns
// are short, so that both see the same ups and downs of the machine.
func compare(rounds int, byHand, sdk func() error) (handNs, sdkNs float64, hand, ours testing.BenchmarkResult) {
	const turns = 50 // a round
	measure := func(f func() error) (testing.BenchmarkResult, func() float64) {
		run := func() {
			if err := f(); err != nil {
				log.Fatal(err)
			}
		}
		whole := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				run()
			}
		})
		return whole, func() float64 {
			n, start := max(whole.N/turns, 1), time.Now()
			for range n {
				run()
			}
			return float64(time.Since(start).Nanoseconds()) / float64(n)
		}
	}
	hand, handTurn := measure(byHand)
	ours, sdkTurn := measure(sdk)
	medians := inTurns(rounds*turns, handTurn, sdkTurn)
	return medians[0], medians[1], hand, ours
}

func smallGet(rounds int) []result {
	rt := memory(func(*http.Request) string { return projectBody })
	client, ours, ctx := &http.Client{Transport: rt}, sdk(rt), context.Background()
	handNs, sdkNs, hand, us := compare(rounds,
		func() error { _, err := byHand[projectByHand](ctx, client, api+"/project/gh/acme/web"); return err },
		func() error { _, err := ours.Projects.Get(ctx, "gh/acme/web"); return err })
	return []result{
		ratio("a small GET, no network: time", handNs, sdkNs, 0.90),
		atMost("    allocations", "%.0f", float64(hand.AllocsPerOp()), float64(us.AllocsPerOp()), 37),
	}
}

func pages(rounds int) []result {
	var out []result
	ctx := context.Background()
	id := uuid.New()
	slug := circleci.ProjectSlug("gh/acme/web")
	for _, c := range []struct {
		what   string
		body   string
		time   float64
		allocs float64 // 0: no goal
		hand   func(*http.Client) error
		sdk    func(*circleci.Client) error
	}{
		{"a page of 20 pipelines", pipelinesPage(0, ""), 0.35, 170,
			func(c *http.Client) error {
				_, err := byHand[page[pipelineByHand]](ctx, c, api+"/project/gh/acme/web/pipeline")
				return err
			},
			func(c *circleci.Client) error {
				_, err := c.Pipelines.ListForProject(slug, nil).Page(ctx, "")
				return err
			}},
		{"a page of 20 workflows", workflowsPage(), 0.60, 0,
			func(c *http.Client) error {
				_, err := byHand[page[workflowByHand]](ctx, c, api+"/pipeline/"+id.String()+"/workflow")
				return err
			},
			func(c *circleci.Client) error { _, err := c.Pipelines.ListWorkflows(id).Page(ctx, ""); return err }},
		{"a page of 20 jobs", jobsPage(), 0.60, 0,
			func(c *http.Client) error {
				_, err := byHand[page[jobByHand]](ctx, c, api+"/workflow/"+id.String()+"/job")
				return err
			},
			func(c *circleci.Client) error { _, err := c.Workflows.ListJobs(id).Page(ctx, ""); return err }},
		{"a page of 20 workflow runs", runsPage(), 0.60, 0,
			func(c *http.Client) error {
				_, err := byHand[page[runByHand]](ctx, c, api+"/insights/gh/acme/web/workflows/build")
				return err
			},
			func(c *circleci.Client) error {
				_, err := c.Insights.ListWorkflowRuns(slug, "build", nil).Page(ctx, "")
				return err
			}},
		{"a page of 100 variables", variablesPage(), 0.45, 0,
			func(c *http.Client) error {
				_, err := byHand[page[variableByHand]](ctx, c, api+"/context/"+id.String()+"/environment-variable")
				return err
			},
			func(c *circleci.Client) error { _, err := c.Contexts.ListEnvVars(id).Page(ctx, ""); return err }},
	} {
		rt := memory(func(*http.Request) string { return c.body })
		client, ours := &http.Client{Transport: rt}, sdk(rt)
		handNs, sdkNs, hand, us := compare(rounds, func() error { return c.hand(client) }, func() error { return c.sdk(ours) })
		out = append(out, ratio(fmt.Sprintf("%s (%d KB): time", c.what, len(c.body)>>10), handNs, sdkNs, c.time))
		if c.allocs > 0 {
			out = append(out, atMost("    allocations", "%.0f", float64(hand.AllocsPerOp()), float64(us.AllocsPerOp()), c.allocs))
		}
	}
	return out
}

// manyPages serves the pages of a list, by token.
func manyPages(n int) memory {
	bodies := map[string]string{}
	for i := range n {
		this, next := "", ""
		if i > 0 {
			this = strconv.Itoa(i)
		}
		if i < n-1 {
			next = strconv.Itoa(i + 1)
		}
		bodies[this] = pipelinesPage(i, next)
	}
	return func(r *http.Request) string { return bodies[r.URL.Query().Get("page-token")] }
}

// walkByHand reads all pages.
func walkByHand(ctx context.Context, client *http.Client, each func(*pipelineByHand)) error {
	for token := ""; ; {
		url := api + "/project/gh/acme/web/pipeline"
		if token != "" {
			url += "?page-token=" + token
		}
		p, err := byHand[page[pipelineByHand]](ctx, client, url)
		if err != nil {
			return err
		}
		for i := range p.Items {
			each(&p.Items[i])
		}
		if p.NextPageToken == "" {
			return nil
		}
		token = p.NextPageToken
	}
}

func walk(rounds int) []result {
	const n = 50
	rt := manyPages(n)
	client, ours, ctx := &http.Client{Transport: rt}, sdk(rt), context.Background()
	handNs, sdkNs, hand, us := compare(rounds,
		func() error { return walkByHand(ctx, client, func(*pipelineByHand) {}) },
		func() error {
			for _, err := range ours.Pipelines.ListForProject("gh/acme/web", nil).All(ctx) {
				if err != nil {
					return err
				}
			}
			return nil
		})
	const items = n * 20
	return []result{
		ratio("a walk over 50 pages, no network: time", handNs, sdkNs, 0.50),
		atMost("    KB allocated for each item", "%.1f", float64(hand.AllocedBytesPerOp())/items/1000, float64(us.AllocedBytesPerOp())/items/1000, 1.6),
	}
}

// prefetch measures a list in which both the server and the program take time.
func prefetch(int) []result {
	const (
		n       = 50
		latency = 20 * time.Millisecond
		work    = 10 * time.Millisecond
	)
	quick := manyPages(n)
	rt := memory(func(r *http.Request) string { time.Sleep(latency); return quick(r) })
	client, ours, ctx := &http.Client{Transport: rt}, sdk(rt), context.Background()
	medians := inTurns(3, func() float64 {
		start, i := time.Now(), 0
		if err := walkByHand(ctx, client, func(*pipelineByHand) {
			if i++; i%20 == 0 {
				time.Sleep(work)
			}
		}); err != nil {
			log.Fatal(err)
		}
		return time.Since(start).Seconds()
	}, func() float64 {
		start := time.Now()
		for _, err := range ours.Pipelines.ListForProject("gh/acme/web", nil).Prefetch().Pages(ctx) {
			if err != nil {
				log.Fatal(err)
			}
			time.Sleep(work)
		}
		return time.Since(start).Seconds()
	})
	return []result{atMost("50 pages of 20 ms, 10 ms of work each: seconds, with Prefetch", "%.2f", medians[0], medians[1], 1.12)}
}
