package main

import (
	"net/http"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

const demoProject = circleci.ProjectSlug("gh/acme/web")

// newDemo is a fake CircleCI server that limits a request, and fails in two others.
func newDemo() *circlecitest.Server {
	srv := circlecitest.NewServer()
	for range 3 {
		srv.StartPipeline(demoProject, "main")
	}
	srv.Advance(time.Hour)
	srv.Weather(
		circlecitest.Answer(circlecitest.Response{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"1"}}}).For("GET /me").Times(1),
		circlecitest.ServerError(http.StatusServiceUnavailable).For("GET /pipeline/{pipeline-id}/workflow").Times(1),
		circlecitest.BrokenConnection().For("GET /pipeline/{pipeline-id}/workflow").Skip(1).Times(1),
	)
	return srv
}
