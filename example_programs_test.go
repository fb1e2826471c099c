package circleci_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing/fstest"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// Download the artifacts of the newest successful pipeline on the branch main.
func Example_latestArtifacts() {
	ctx := context.Background()
	client, closeServer := serverWithBuilds()
	defer closeServer()
	dir, err := os.MkdirTemp("", "artifacts")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	latest, err := client.Pipelines.GetLatest(ctx, "gh/acme/web", &circleci.GetLatestOptions{
		Branch:  "main",
		Outcome: circleci.OutcomeSuccess,
	})
	if err != nil { // matches ErrNotFound if no pipeline succeeded
		fmt.Println(err)
		return
	}
	files, err := client.Pipelines.DownloadArtifacts(ctx, latest.Pipeline.ID, dir, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(latest)
	for _, f := range files {
		name, _ := filepath.Rel(dir, f.Path)
		fmt.Println(filepath.ToSlash(name), f.Size)
	}
	// Output:
	// pipeline 1: release success: success
	// release/build/dist/web.tar.gz 2000
}

// serverWithBuilds is a server with two pipelines on main: one that succeeded,
// and a newer one that failed.
func serverWithBuilds() (client *circleci.Client, closeServer func()) {
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	archive := circlecitest.Artifact{Path: "dist/web.tar.gz", Size: 2000}
	srv.Script("gh/acme/web",
		circlecitest.Pipeline(circlecitest.Workflow("release", circlecitest.Job("build").WithArtifacts(archive))),
		circlecitest.Pipeline(circlecitest.Workflow("release", circlecitest.Job("build").WithArtifacts(archive).Fails())),
	)
	for range 2 {
		srv.StartPipeline("gh/acme/web", "main")
		srv.Advance(time.Hour)
	}
	return srv.Client(), srv.Close
}

// Print the pipelines of a project that one user started during the last week.
// The list is sorted by time, so the loop ends at the first older pipeline and
// requests only the pages that it needs.
func Example_pipelinesOfOneUser() {
	ctx := context.Background()
	client, now, closeServer := serverWithUsers()
	defer closeServer()

	since := now.AddDate(0, 0, -7) // now is time.Now() in your program
	for p, err := range client.Pipelines.ListForProject("gh/acme/web", nil).All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if p.CreatedAt.Before(since) {
			break
		}
		if p.Trigger.Actor.Login != "grace" {
			continue
		}
		result, err := client.Pipelines.Check(ctx, p.ID)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(p.Branch(), result)
	}
	// Output:
	// cart pipeline 4: build-and-test success: success
	// main pipeline 2: build-and-test success: success
}

// serverWithUsers is a server on which two users started pipelines.
func serverWithUsers() (client *circleci.Client, now time.Time, closeServer func()) {
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	grace, edsger := srv.AddUser("grace", "Grace Hopper"), srv.AddUser("edsger", "Edsger Dijkstra")
	srv.StartPipelineBy(grace, "gh/acme/web", "main") // more than a week ago
	srv.Advance(10 * 24 * time.Hour)
	srv.StartPipelineBy(grace, "gh/acme/web", "main")
	srv.StartPipelineBy(edsger, "gh/acme/web", "main")
	srv.Advance(24 * time.Hour)
	srv.StartPipelineBy(grace, "gh/acme/web", "cart")
	srv.Advance(time.Hour)
	return srv.Client(), srv.Now(), srv.Close
}

// Report on the last day of an organization: each project's runs, success rate
// and credits, and the sum.
func Example_reportOfAnOrganization() {
	ctx := context.Background()
	client, orgID, closeServer := serverWithHistory()
	defer closeServer()

	projects, err := client.Projects.ListForOrg(orgID).Collect(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	o := circleci.GetOrgSummaryOptions{ReportingWindow: circleci.ReportingWindowLast24Hours}
	for _, p := range projects {
		o.ProjectNames = append(o.ProjectNames, p.Name)
	}
	summary, err := client.Insights.GetOrgSummary(ctx, "gh/acme", &o)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range summary.Projects {
		fmt.Printf("%s: %d runs, %.0f%% succeeded, %d credits\n", p.ProjectName, p.Metrics.TotalRuns, 100*p.Metrics.SuccessRate, p.Metrics.TotalCreditsUsed)
	}
	all := summary.Org.Metrics
	fmt.Printf("all: %d runs, %v, %d credits\n", all.TotalRuns, all.TotalDuration, all.TotalCreditsUsed)
	// Output:
	// web: 10 runs, 100% succeeded, 100 credits
	// api: 10 runs, 90% succeeded, 100 credits
	// all: 20 runs, 21m20s, 200 credits
}

// serverWithHistory is a server with an organization whose two projects ran
// every day of a month.
func serverWithHistory() (client *circleci.Client, orgID uuid.UUID, closeServer func()) {
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	orgID = srv.AddOrg("gh/acme")
	for _, slug := range []circleci.ProjectSlug{"gh/acme/web", "gh/acme/api"} {
		srv.AddProject(slug)
		srv.History(slug, circlecitest.Past{RunsPerDay: 10, FailureRate: 0.2})
	}
	return srv.Client(), orgID, srv.Close
}

// Check a changed directory of config policies before it is pushed, and print
// yesterday's decisions that stopped a pipeline.
func Example_policyReport() {
	ctx := context.Background()
	client, orgID, now, closeServer := serverWithDecisions()
	defer closeServer()
	policies := fstest.MapFS{"version.rego": {Data: []byte("package org\npolicy_name[\"version\"]\n")}} // os.DirFS("policies")

	diff, err := client.Policy.PushDir(ctx, orgID, policies, nil) // a dry run; PushDirOptions.Apply pushes
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("would create", diff.Created, "and delete", diff.Deleted)

	today := now.Truncate(24 * time.Hour) // now is time.Now() in your program
	for d, err := range client.Policy.ListDecisions(orgID, &circleci.ListDecisionsOptions{
		Status: circleci.DecisionStatusHardFail,
		After:  today.AddDate(0, 0, -1),
		Before: today,
	}).All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, v := range d.Decision.HardFailures {
			fmt.Printf("%s: %s\n", v.Rule, v.Reason)
		}
	}
	// Output:
	// would create [version] and delete []
	// check_version: version must be 2.1
}

// serverWithDecisions is a server with one policy decision of yesterday and one
// of the day before.
func serverWithDecisions() (client *circleci.Client, orgID uuid.UUID, now time.Time, closeServer func()) {
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	orgID, client = srv.AddOrg("gh/acme"), srv.Client()
	srv.SetPolicyDecisions("gh/acme", circleci.Decision{
		Status:       circleci.DecisionStatusHardFail,
		HardFailures: []circleci.Violation{{Rule: "check_version", Reason: "version must be 2.1"}},
	})
	for range 2 {
		if _, err := client.Policy.Decide(context.Background(), orgID, circleci.DecideRequest{Input: "version: 2.0\njobs: {}\n"}); err != nil {
			panic(err)
		}
		srv.Advance(24 * time.Hour)
	}
	return client, orgID, srv.Now(), srv.Close
}

// Use a self-hosted server whose certificate is signed by a private authority.
func Example_privateCertificateAuthority() {
	ctx := context.Background()
	token, host, file, closeServer := selfHosted()
	defer closeServer()

	authorities := x509.NewCertPool()
	certificates, err := os.ReadFile(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	if !authorities.AppendCertsFromPEM(certificates) {
		fmt.Println("no certificates in", file)
		return
	}
	client, err := circleci.NewClient(token, circleci.WithBaseURL(host), circleci.WithRootCAs(authorities))
	if err != nil {
		fmt.Println(err)
		return
	}
	me, err := client.Users.Me(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(me.Login)

	// Without the option, the error names it.
	client, err = circleci.NewClient(token, circleci.WithBaseURL(host))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.Users.Me(ctx)
	fmt.Println(errors.As(err, new(x509.UnknownAuthorityError)))
	// Output:
	// ada
	// true
}

// selfHosted is a server with TLS, and a file with its certificate.
func selfHosted() (token, host, file string, closeServer func()) {
	fake := circlecitest.NewServer()
	srv := httptest.NewTLSServer(fake)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // it logs the client that does not trust it
	f, err := os.CreateTemp("", "ca-*.pem")
	if err != nil {
		panic(err)
	}
	if err := errors.Join(pem.Encode(f, &pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), f.Close()); err != nil {
		panic(err)
	}
	return fake.Token(), srv.URL, f.Name(), func() { srv.Close(); fake.Close(); _ = os.Remove(f.Name()) }
}
