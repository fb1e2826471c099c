package circlecitest

import (
	"fmt"
	"strings"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/config"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// Configure sets the configuration of a project, given as the text of its
// .circleci/config.yml. Pipelines then run the workflows and jobs that the
// configuration selects for their branch or tag and their parameters. The
// project is added if it does not exist. Configure returns an error and changes
// nothing if the configuration is invalid.
//
// Each job succeeds after 30 seconds. To change that, give the project a script
// with a job of the same name: [Server.Script] then sets outcomes, durations,
// outputs, tests and artifacts, but not which jobs run. A job is matched by its
// name, or else by the key of its definition, which all jobs of a matrix share.
// Errors in the script end the pipeline, as they do without a configuration.
//
// The configuration also decides which parameters are valid: undeclared names
// and values of other types are refused. With setup: true, its workflow is the
// setup workflow, and [circleci.PipelinesService.Continue] continues the
// pipeline with another configuration, to which the same rules apply. Until
// then the pipeline stays in the state setup.
//
// Versions 2 and 2.1 are supported, with pipeline parameters, jobs and their
// parallelism, and workflows: when and unless, requires with statuses,
// approvals, contexts, filters, and matrices. Jobs of orbs succeed like others;
// the orbs are not read.
//
// Arguments that a job does not declare, and missing ones, are errors, as are
// statuses in requires that do not exist.
//
// Not supported, and refused by name, are job-groups, max_auto_reruns and other
// keys of workflows, pre-steps, post-steps, override-with, undocumented
// operators, and pipeline values other than id, number, project.slug, project.git_url, project.type,
// git.branch, git.branch.is_default, git.tag, git.revision, trigger_source,
// schedule.name, schedule.id and the parameters. Everything that does not
// affect which jobs run is ignored: steps, executors, commands, caches and
// serial-group. A workflow with schedule triggers does not run.
func (s *Server) Configure(slug circleci.ProjectSlug, yaml string) error {
	c, err := config.Parse([]byte(yaml))
	if err != nil {
		return fmt.Errorf("circlecitest: configuration of %s: %w", slug, err)
	}
	s.engine.Lock()
	defer s.engine.Unlock()
	push := world.Push(s.engine.ProjectBy(string(slug)))
	if problems := c.Check(push); len(problems) > 0 {
		return fmt.Errorf("circlecitest: configuration of %s: %s", slug, strings.Join(problems, "; "))
	}
	s.engine.AddProject(string(slug)).Configuration = c
	return nil
}
