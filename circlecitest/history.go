package circlecitest

import (
	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// Past describes the past runs of a project, for [Server.History]. Zero fields
// select the defaults.
type Past struct {
	// Days is how many days the history covers. The default is 30.
	Days int
	// RunsPerDay is the number of pipelines per day. The default is 20.
	RunsPerDay int
	// Branches are the branches of the pipelines, in turn. The default is the
	// default branch.
	Branches []string
	// Workflows run in each pipeline. The default is those of the project's
	// next script.
	Workflows []*WorkflowScript
	// FailureRate is the fraction of the runs of each workflow in which a job
	// fails, in addition to the failures in Workflows. The number of failures
	// is exact, not random. Reruns succeed.
	FailureRate float64
	// Spread is the fraction by which durations vary: see [JobScript.Varies].
	Spread float64
}

// History gives a project past runs, so that Insights, lists and usage exports
// have data. The pipelines have all ended. They are spread evenly over the
// days, with some random variation that the server's seed decides. They deliver
// no webhooks. The project is added if it does not exist. History panics if the
// workflows take longer than the days, or for more than 100,000 pipelines.
//
//	srv.History("gh/acme/web", circlecitest.Past{RunsPerDay: 100, FailureRate: 0.1, Spread: 0.3})
//
// Call it before the project runs other pipelines, because pipeline numbers
// continue from the last one.
func (s *Server) History(slug circleci.ProjectSlug, past Past) {
	workflows := workflowScripts(past.Workflows)
	world.Script{Workflows: workflows}.Check()
	s.engine.Lock()
	defer s.engine.Unlock()
	s.engine.Relive(s.engine.AddProject(string(slug)), engine.Past{
		Days: past.Days, PerDay: past.RunsPerDay, Branches: past.Branches, Workflows: workflows,
		FailureRate: past.FailureRate, Spread: past.Spread,
	})
}
