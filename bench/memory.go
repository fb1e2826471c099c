package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// memory answers requests without a network.
type memory func(*http.Request) string

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	body := m(r)
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(&body0{text: body}), ContentLength: int64(len(body)),
	}, nil
}

// body0 reads a text without a copy of it.
type body0 struct {
	text string
	at   int
}

func (b *body0) Read(p []byte) (int, error) {
	if b.at == len(b.text) {
		return 0, io.EOF
	}
	n := copy(p, b.text[b.at:])
	b.at += n
	return n, nil
}

const token = "CCIPAT_bench"

func sdk(rt http.RoundTripper) *circleci.Client {
	c, err := circleci.NewClient(token, circleci.WithHTTPClient(&http.Client{Transport: rt}))
	if err != nil {
		log.Fatal(err)
	}
	return c
}

// byHand gets a URL and decodes the answer, as one writes it.
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

// compare measures two functions with the testing package's loop, in turns.
func compare(rounds int, byHand, sdk func() error) (handNs, sdkNs float64, hand, ours testing.BenchmarkResult) {
	run := func(f func() error, last *testing.BenchmarkResult) func() float64 {
		return func() float64 {
			*last = testing.Benchmark(func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := f(); err != nil {
						log.Fatal(err)
					}
				}
			})
			return float64(last.T.Nanoseconds()) / float64(last.N)
		}
	}
	medians := inTurns(rounds, run(byHand, &hand), run(sdk, &ours))
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
		{"a page of 20 pipelines", pipelinesPage(0, ""), 0.45, 170,
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
		{"a page of 100 variables", variablesPage(), 0.60, 0,
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

// prefetch is a walk in which both sides take their time.
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
		for _, err := range ours.Pipelines.ListForProject("gh/acme/web", nil, circleci.Prefetch()).Pages(ctx) {
			if err != nil {
				log.Fatal(err)
			}
			time.Sleep(work)
		}
		return time.Since(start).Seconds()
	})
	return []result{atMost("50 pages of 20 ms, 10 ms of work each: seconds, with Prefetch", "%.2f", medians[0], medians[1], 1.12)}
}

// The types that one writes by hand, and what they are made of.

type page[T any] struct {
	Items         []T    `json:"items"`
	NextPageToken string `json:"next_page_token"`
}

type projectByHand struct {
	Slug             string `json:"slug"`
	Name             string `json:"name"`
	ID               string `json:"id"`
	OrganizationName string `json:"organization_name"`
	OrganizationSlug string `json:"organization_slug"`
	OrganizationID   string `json:"organization_id"`
	VCSInfo          struct {
		VCSURL        string `json:"vcs_url"`
		Provider      string `json:"provider"`
		DefaultBranch string `json:"default_branch"`
	} `json:"vcs_info"`
}

type pipelineByHand struct {
	ID     string `json:"id"`
	Errors []struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	} `json:"errors"`
	ProjectSlug string    `json:"project_slug"`
	UpdatedAt   time.Time `json:"updated_at"`
	Number      int       `json:"number"`
	State       string    `json:"state"`
	CreatedAt   time.Time `json:"created_at"`
	Trigger     struct {
		Type       string    `json:"type"`
		ReceivedAt time.Time `json:"received_at"`
		Actor      struct {
			Login     string  `json:"login"`
			AvatarURL *string `json:"avatar_url"`
		} `json:"actor"`
	} `json:"trigger"`
	TriggerParameters map[string]any `json:"trigger_parameters"`
	VCS               *struct {
		ProviderName        string `json:"provider_name"`
		TargetRepositoryURL string `json:"target_repository_url"`
		Branch              string `json:"branch"`
		ReviewID            string `json:"review_id"`
		ReviewURL           string `json:"review_url"`
		Revision            string `json:"revision"`
		Tag                 string `json:"tag"`
		Commit              struct {
			Subject string `json:"subject"`
			Body    string `json:"body"`
		} `json:"commit"`
		OriginRepositoryURL string `json:"origin_repository_url"`
	} `json:"vcs"`
}

type workflowByHand struct {
	ID             string     `json:"id"`
	Name           string     `json:"name"`
	Status         string     `json:"status"`
	PipelineID     string     `json:"pipeline_id"`
	PipelineNumber int        `json:"pipeline_number"`
	ProjectSlug    string     `json:"project_slug"`
	StartedBy      string     `json:"started_by"`
	CanceledBy     string     `json:"canceled_by"`
	ErroredBy      string     `json:"errored_by"`
	Tag            *string    `json:"tag"`
	CreatedAt      time.Time  `json:"created_at"`
	StoppedAt      *time.Time `json:"stopped_at"`
}

type jobByHand struct {
	ID                string     `json:"id"`
	Name              string     `json:"name"`
	JobNumber         int        `json:"job_number"`
	Type              string     `json:"type"`
	Status            string     `json:"status"`
	ProjectSlug       string     `json:"project_slug"`
	Dependencies      []string   `json:"dependencies"`
	ApprovalRequestID string     `json:"approval_request_id"`
	StartedAt         *time.Time `json:"started_at"`
	StoppedAt         *time.Time `json:"stopped_at"`
}

type runByHand struct {
	ID          string     `json:"id"`
	Branch      string     `json:"branch"`
	Duration    *int       `json:"duration"`
	CreatedAt   time.Time  `json:"created_at"`
	StoppedAt   *time.Time `json:"stopped_at"`
	CreditsUsed int        `json:"credits_used"`
	Status      string     `json:"status"`
	IsApproval  bool       `json:"is_approval"`
}

type variableByHand struct {
	Variable  string    `json:"variable"`
	ContextID string    `json:"context_id"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

const projectBody = `{"slug":"gh/acme/web","name":"web","id":"0a1b2c3d-c7c4-4c43-9457-de07e2029e7b","organization_name":"acme",` +
	`"organization_slug":"gh/acme","organization_id":"8e1b2c3d-c7c4-4c43-9457-de07e2029e7b",` +
	`"vcs_info":{"vcs_url":"https://github.com/acme/web","provider":"GitHub","default_branch":"main"}}`

// list makes a page of n items.
func list(n int, next string, item func(*bytes.Buffer, int)) string {
	var b bytes.Buffer
	b.WriteString(`{"next_page_token":`)
	if next == "" {
		b.WriteString("null")
	} else {
		fmt.Fprintf(&b, "%q", next)
	}
	b.WriteString(`,"items":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		item(&b, i)
	}
	b.WriteString("]}")
	return b.String()
}

func id(n int) string { return fmt.Sprintf("%08x-c7c4-4c43-9457-de07e2029e7b", n) }

func pipelinesPage(p int, next string) string {
	return list(20, next, func(b *bytes.Buffer, i int) {
		n := p*20 + i
		fmt.Fprintf(b, `{"id":%q,"errors":[],"project_slug":"gh/acme/web","updated_at":"2026-03-01T08:31:0%d.123Z","number":%d,`+
			`"state":"created","created_at":"2026-03-01T08:30:00.%03dZ","trigger":{"received_at":"2026-03-01T08:29:59.500Z","type":"webhook",`+
			`"actor":{"login":"developer-%d","avatar_url":"https://avatars.githubusercontent.com/u/%d?v=4"}},`+
			`"vcs":{"origin_repository_url":"https://github.com/acme/web","target_repository_url":"https://github.com/acme/web",`+
			`"revision":"%040x","provider_name":"GitHub","branch":"feature/change-%d","commit":{"body":"What was changed, and why it was changed: `+
			`the old way was slow, and by now nobody knew what it had been for.\n\nCo-authored-by: A Colleague <colleague@example.com>",`+
			`"subject":"Change number %d of the things that change"}}}`, id(n), i%10, n, i, n%7, n%7, n, n, n)
	})
}

func workflowsPage() string {
	return list(20, "", func(b *bytes.Buffer, i int) {
		fmt.Fprintf(b, `{"pipeline_id":%q,"id":%q,"name":"build-and-test-%d","project_slug":"gh/acme/web","status":"success","started_by":%q,`+
			`"pipeline_number":%d,"created_at":"2026-03-01T08:30:00Z","stopped_at":"2026-03-01T08:40:%02dZ","tag":null}`, id(1), id(i), i, id(7), i, i)
	})
}

func jobsPage() string {
	return list(20, "", func(b *bytes.Buffer, i int) {
		fmt.Fprintf(b, `{"dependencies":[%q,%q],"job_number":%d,"id":%q,"started_at":"2026-03-01T08:30:00Z","name":"job-%d",`+
			`"project_slug":"gh/acme/web","status":"success","type":"build","stopped_at":"2026-03-01T08:40:%02dZ"}`, id(1), id(2), i+1, id(i), i, i)
	})
}

func runsPage() string {
	return list(20, "", func(b *bytes.Buffer, i int) {
		fmt.Fprintf(b, `{"id":%q,"branch":"main","duration":%d,"created_at":"2026-03-01T08:30:00Z","stopped_at":"2026-03-01T08:40:%02dZ",`+
			`"credits_used":%d,"status":"success","is_approval":false}`, id(i), 600+i, i, i*10)
	})
}

func variablesPage() string {
	return list(100, "", func(b *bytes.Buffer, i int) {
		fmt.Fprintf(b, `{"variable":"VARIABLE_NUMBER_%d","context_id":%q,"created_at":"2026-03-01T08:30:00.123Z","updated_at":"2026-03-01T08:30:%02d.456Z"}`, i, id(3), i%60)
	})
}
