package circlecitest

import (
	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// Past is what has run in a project until now, for [Server.History]. Fields
// that are zero have the defaults.
type Past struct {
	// Days is how long it goes back; default 30.
	Days int
	// RunsPerDay is how many pipelines ran on each day; default 20.
	RunsPerDay int
	// Branches had the pipelines in turn; default the default branch alone.
	Branches []string
	// Workflows ran in each pipeline; default those of the project's next
	// script.
	Workflows []*WorkflowScript
	// FailureRate is the share of the runs of each workflow in which a job
	// failed, in addition to what fails by the script. It is met exactly, and
	// a rerun succeeds.
	FailureRate float64
	// Spread is by which share the durations vary: see [JobScript.Varies].
	Spread float64
}

// History gives a project a past, so that Insights, lists and usage exports
// have something to tell: pipelines that have run and ended, spread evenly over
// the days, a little by chance. The server's seed decides. Nobody is called for
// what happened then. The project is added if there is none.
//
//	srv.History("gh/acme/web", circlecitest.Past{RunsPerDay: 100, FailureRate: 0.1, Spread: 0.3})
//
// Call it before pipelines of the project run, for their numbers go on from the
// last one.
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
