package main

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/redislimit"
)

// atOnce is how many projects a worker reads at once.
const atOnce = 8

type worker struct {
	options

	printer           *printer
	client            *circleci.Client
	requests, refused atomic.Int64
}

// connect makes the client. All workers with this token and this Redis share
// one pace.
func (w *worker) connect(rdb redis.UniversalClient, token string, log io.Writer) (err error) {
	limiter := redislimit.New(rdb, token, redislimit.WithLogger(slog.New(slog.NewTextHandler(log, nil))))
	w.client, err = circleci.NewClientFromEnv(circleci.WithLimiter(limiter), circleci.WithMiddleware(w.count))
	return err
}

// count counts the requests, retries included.
func (w *worker) count(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		w.requests.Add(1)
		resp, err := next.RoundTrip(r)
		if err == nil && resp.StatusCode == http.StatusTooManyRequests {
			w.refused.Add(1)
		}
		return resp, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// crawl reads the worker's part of the organization's projects.
func (w *worker) crawl(ctx context.Context, slug circleci.OrgSlug) error {
	org, err := w.client.Organizations.Get(ctx, circleci.OrgBySlug(slug))
	if err != nil {
		return err
	}
	projects, err := w.client.Projects.ListForOrg(org.ID).Collect(ctx)
	if err != nil {
		return err
	}
	// All workers have the same list, in the same order.
	slices.SortFunc(projects, func(a, b circleci.OrgProject) int { return cmp.Compare(a.ID.String(), b.ID.String()) })
	queue := make(chan circleci.OrgProject, len(projects))
	for i, project := range projects {
		if i%w.part.n == w.part.i-1 {
			queue <- project
		}
	}
	close(queue)
	own := len(queue)
	var group sync.WaitGroup
	for range min(atOnce, own) {
		group.Go(func() {
			for project := range queue {
				if ctx.Err() != nil {
					return
				}
				w.printer.add(w.read(ctx, project.ID, project.Name))
			}
		})
	}
	group.Wait()
	w.printer.add(document{Worker: w.part.String(), Projects: own, Requests: w.requests.Load(), RateLimited: w.refused.Load()})
	return ctx.Err()
}

// read returns the failed tests of a project. If it fails, it returns those that
// it has found, and the error as text.
func (w *worker) read(ctx context.Context, id uuid.UUID, name string) document {
	d := document{Project: name, Failed: []failedTest{}}
	err := func() error {
		project, err := w.client.Projects.GetByID(ctx, id)
		if err != nil {
			return err
		}
		d.Project = string(project.Slug)
		for p, err := range w.client.Pipelines.ListForProject(project.Slug, nil).Take(w.pipelines).All(ctx) {
			if err != nil {
				return err
			}
			report, err := w.client.Pipelines.GetTestReport(ctx, p.ID)
			if err != nil {
				return err
			}
			for _, t := range report.Failed() {
				d.Failed = append(d.Failed, failedTest{p.Number, t.JobName, t.Name, t.Message})
			}
			d.Pipelines++
		}
		return nil
	}()
	if err != nil {
		d.Error = err.Error()
	}
	return d
}
