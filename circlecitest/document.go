package circlecitest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// Load adds the contents of a scenario document to the server: users, projects
// with their scripts and past runs, contexts, policy decisions and faults. A
// document is YAML or JSON; the file scenario.schema.json is its JSON Schema:
//
//	projects:
//	  gh/acme/web:
//	    scripts:
//	      - workflows:
//	          - name: build
//	            jobs:
//	              - {name: test, takes: 2m, fails: once}
//	              - {name: hold, approval: true, requires: [test]}
//	contexts:
//	  - {owner: gh/acme, name: deploy, env_vars: {REGION: eu}}
//	weather:
//	  - {fault: server_error, status: 503, for: ["GET /me"], times: 3}
//
// Unknown members and scripts that cannot run are errors. An error can leave
// the document partly applied.
func (s *Server) Load(document []byte) error {
	var d scenarioDocument
	if err := decodeStrict(document, &d); err != nil {
		return err
	}
	_, err := calmly(func() (any, error) { return nil, d.apply(s) })
	return err
}

// decodeStrict decodes YAML or JSON and refuses unknown members.
func decodeStrict(document []byte, into any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(document))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("circlecitest: the document: %w", err)
	}
	return nil
}

type scenarioDocument struct {
	Users     []userDocument                           `yaml:"users"`
	Orgs      map[circleci.OrgSlug]orgDocument         `yaml:"organizations"`
	Projects  map[circleci.ProjectSlug]projectDocument `yaml:"projects"`
	Contexts  []contextDocument                        `yaml:"contexts"`
	Decisions map[circleci.OrgSlug][]decisionDocument  `yaml:"decisions"`
	Weather   []faultDocument                          `yaml:"weather"`
}

type userDocument struct {
	Login string `yaml:"login"`
	Name  string `yaml:"name"`
}

type projectDocument struct {
	Name           string                  `yaml:"name"` // of a standalone project
	History        *historyDocument        `yaml:"history"`
	Scripts        []scriptDocument        `yaml:"scripts"`
	Definitions    []string                `yaml:"pipeline_definitions"`
	Config         string                  `yaml:"configuration"`
	Deploys        []deployDocument        `yaml:"deploys"`
	DeploySettings *deploySettingsDocument `yaml:"deploy_settings"`
}

type contextDocument struct {
	Owner   circleci.OrgSlug  `yaml:"owner"`
	Name    string            `yaml:"name"`
	EnvVars map[string]string `yaml:"env_vars"`
}

type decisionDocument struct {
	Status       circleci.DecisionStatus `yaml:"status"`
	Reason       string                  `yaml:"reason"`
	EnabledRules []string                `yaml:"enabled_rules"`
	HardFailures []circleci.Violation    `yaml:"hard_failures"`
	SoftFailures []circleci.Violation    `yaml:"soft_failures"`
}

type historyDocument struct {
	Days        int                `yaml:"days"`
	RunsPerDay  int                `yaml:"runs_per_day"`
	Branches    []string           `yaml:"branches"`
	Workflows   []workflowDocument `yaml:"workflows"`
	FailureRate documentFraction   `yaml:"failure_rate"`
	Spread      documentFraction   `yaml:"spread"`
}

type scriptDocument struct {
	Setup          *workflowDocument  `yaml:"setup"`
	Workflows      []workflowDocument `yaml:"workflows"`
	Errors         []errorDocument    `yaml:"errors"`
	Parameters     []string           `yaml:"parameters"`
	Config         string             `yaml:"config"`
	NeverContinues bool               `yaml:"never_continues"`
}

type errorDocument struct {
	Type    string `yaml:"type"`
	Message string `yaml:"message"`
}

type workflowDocument struct {
	Name       string        `yaml:"name"`
	AutoReruns int           `yaml:"reruns_automatically"`
	Jobs       []jobDocument `yaml:"jobs"`
}

type jobDocument struct {
	Name          string               `yaml:"name"`
	Approval      bool                 `yaml:"approval"`
	ApprovedAfter documentDuration     `yaml:"approved_after"`
	Takes         *documentDuration    `yaml:"takes"`
	Varies        documentFraction     `yaml:"varies"`
	Fails         documentFailure      `yaml:"fails"`
	Ends          []circleci.JobStatus `yaml:"ends"`
	Requires      []string             `yaml:"requires"`
	Contexts      []string             `yaml:"contexts"`
	Output        string               `yaml:"output"`
	Tests         []testDocument       `yaml:"tests"`
	Artifacts     []artifactDocument   `yaml:"artifacts"`
}

type testDocument struct {
	Name      string           `yaml:"name"`
	Classname string           `yaml:"classname"`
	File      string           `yaml:"file"`
	Source    string           `yaml:"source"`
	Takes     documentDuration `yaml:"takes"`
	Message   string           `yaml:"message"` // unless it passes
	Result    string           `yaml:"result"`  // success, failure, error, skipped or flaky
	Share     documentFraction `yaml:"share"`   // of the runs in which a flaky test fails; 0: those in which its job does
}

type artifactDocument struct {
	Path      string `yaml:"path"`
	Content   string `yaml:"content"`
	Size      int64  `yaml:"size"`
	NodeIndex int64  `yaml:"node_index"`
}

func (d *scenarioDocument) apply(s *Server) error {
	for _, u := range d.Users {
		if u.Login == "" {
			return errors.New("circlecitest: a user has no login")
		}
		s.AddUser(u.Login, u.Name)
	}
	for _, slug := range slices.Sorted(maps.Keys(d.Orgs)) {
		org := d.Orgs[slug]
		if err := org.apply(s, slug); err != nil {
			return fmt.Errorf("circlecitest: organization %s: %w", slug, err)
		}
	}
	for _, slug := range slices.Sorted(maps.Keys(d.Projects)) {
		if _, err := circleci.ParseProjectSlug(string(slug)); err != nil {
			return fmt.Errorf("circlecitest: %w", err)
		}
		if err := d.addProjectOf(s, slug); err != nil {
			return fmt.Errorf("circlecitest: project %s: %w", slug, err)
		}
	}
	for _, c := range d.Contexts {
		if _, err := circleci.ParseOrgSlug(string(c.Owner)); err != nil {
			return fmt.Errorf("circlecitest: context %s: %w", c.Name, err)
		}
		if c.Name == "" {
			return fmt.Errorf("circlecitest: a context of %s has no name", c.Owner)
		}
		s.AddContext(c.Owner, c.Name, c.EnvVars)
	}
	for _, slug := range slices.Sorted(maps.Keys(d.Decisions)) {
		if _, err := circleci.ParseOrgSlug(string(slug)); err != nil {
			return fmt.Errorf("circlecitest: decisions: %w", err)
		}
		var decisions []circleci.Decision
		for _, x := range d.Decisions[slug] {
			if !slices.Contains(decisionStatuses, x.Status) {
				return fmt.Errorf("circlecitest: decisions of %s: the status %q is not one of %v", slug, x.Status, decisionStatuses)
			}
			decisions = append(decisions, circleci.Decision{
				Status: x.Status, Reason: x.Reason, EnabledRules: x.EnabledRules, HardFailures: x.HardFailures, SoftFailures: x.SoftFailures,
			})
		}
		s.SetPolicyDecisions(slug, decisions...)
	}
	for _, w := range d.Weather {
		fault, err := w.fault()
		if err != nil {
			return err
		}
		s.Weather(fault)
	}
	return nil
}

func (d *scenarioDocument) addProjectOf(s *Server, slug circleci.ProjectSlug) error {
	p := d.Projects[slug]
	s.AddProject(slug)
	if p.Name != "" {
		if err := s.nameProject(slug, p.Name); err != nil {
			return err
		}
	}
	if err := p.deploy(s, slug); err != nil {
		return err
	}
	for _, name := range p.Definitions {
		s.AddPipelineDefinition(slug, name)
	}
	if h := p.History; h != nil {
		workflows, err := workflowsOf(h.Workflows)
		if err != nil {
			return err
		}
		s.History(slug, Past{
			Days: h.Days, RunsPerDay: h.RunsPerDay, Branches: h.Branches, Workflows: workflows,
			FailureRate: float64(h.FailureRate), Spread: float64(h.Spread),
		})
	}
	var scripts []Script
	for _, one := range p.Scripts {
		script, err := one.script()
		if err != nil {
			return err
		}
		scripts = append(scripts, script)
	}
	if len(scripts) > 0 {
		s.Script(slug, scripts...)
	}
	if p.Config != "" {
		return s.Configure(slug, p.Config)
	}
	return nil
}

func (d *scriptDocument) script() (Script, error) {
	script := Script{Parameters: d.Parameters, Config: d.Config, NeverContinues: d.NeverContinues}
	for _, e := range d.Errors {
		script.Errors = append(script.Errors, circleci.PipelineError{Type: circleci.PipelineErrorType(e.Type), Message: e.Message})
	}
	var err error
	if script.Workflows, err = workflowsOf(d.Workflows); err != nil || d.Setup == nil {
		return script, err
	}
	setup, err := workflowsOf([]workflowDocument{*d.Setup})
	if err == nil {
		script.Setup = setup[0]
	}
	return script, err
}

func workflowsOf(documents []workflowDocument) (all []*WorkflowScript, err error) {
	for _, d := range documents {
		if d.Name == "" {
			return nil, errors.New("a workflow has no name")
		}
		var jobs []*JobScript
		for _, j := range d.Jobs {
			job, err := j.script()
			if err != nil {
				return nil, fmt.Errorf("workflow %s: %w", d.Name, err)
			}
			jobs = append(jobs, job)
		}
		w := Workflow(d.Name, jobs...)
		if d.AutoReruns > 0 {
			w.RerunsAutomatically(d.AutoReruns)
		}
		all = append(all, w)
	}
	return all, nil
}

func (d *jobDocument) script() (*JobScript, error) {
	if d.Name == "" {
		return nil, errors.New("a job has no name")
	}
	job := Job(d.Name)
	if d.Approval {
		job = Approval(d.Name)
		if d.ApprovedAfter > 0 {
			job.ApprovedAfter(time.Duration(d.ApprovedAfter))
		}
	}
	if d.Takes != nil {
		job.Takes(time.Duration(*d.Takes))
	}
	if d.Varies > 0 {
		job.Varies(float64(d.Varies))
	}
	switch {
	case d.Fails.always:
		job.Fails()
	case d.Fails.once:
		job.FailsOnce()
	case d.Fails.share > 0:
		job.FailsSometimes(d.Fails.share)
	}
	if len(d.Ends) > 0 {
		job.Ends(d.Ends...)
	}
	job.Requires(d.Requires...)
	job.WithContexts(d.Contexts...)
	if d.Output != "" {
		job.WithOutput(d.Output)
	}
	for _, a := range d.Artifacts {
		if a.Path == "" || a.Size < 0 || a.NodeIndex < 0 {
			return nil, fmt.Errorf("job %s: an artifact needs a path, and a size and a node_index that are not negative", d.Name)
		}
		job.WithArtifacts(Artifact{Path: a.Path, Content: a.Content, Size: a.Size, NodeIndex: a.NodeIndex})
	}
	for _, t := range d.Tests {
		if err := t.add(job); err != nil {
			return nil, err
		}
	}
	return job, nil
}

// add adds the test's result to a job.
func (d *testDocument) add(job *JobScript) error {
	test := FailingTest(d.Name, d.Message)
	test.Classname, test.File, test.Source = cmp.Or(d.Classname, test.Classname), cmp.Or(d.File, test.File), cmp.Or(d.Source, test.Source)
	switch d.Result {
	case "", "success":
		test.Result, test.Message, test.RunTime = circleci.TestResultSuccess, "", 0
	case "failure", "error", "skipped":
		test.Result = circleci.TestResult(d.Result)
	case "flaky":
		test.Result = world.FlakyResult // fails with its job
	default:
		return fmt.Errorf("test %s: the result %q is not one of success, failure, error, skipped and flaky", d.Name, d.Result)
	}
	if d.Name == "" {
		return fmt.Errorf("a test of job %s has no name", job.job.Name)
	}
	if d.Takes > 0 {
		test.RunTime = circleci.Seconds(d.Takes)
	}
	if d.Result == "flaky" && d.Share > 0 {
		job.WithFlakyTests(float64(d.Share), test)
		return nil
	}
	job.WithTests(test)
	return nil
}
