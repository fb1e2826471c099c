package insights

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// testID identifies a test.
type testID struct{ job, classname, name string }

// testRun is one result of a test.
type testRun struct {
	job  *world.Job
	test circleci.Test
}

// testRuns returns the results of the tests in these workflows by test, and the
// tests in order of appearance.
func testRuns(runs []*world.Workflow) (byTest map[testID][]testRun, order []testID) {
	byTest = map[testID][]testRun{}
	for _, j := range jobRuns(runs) {
		for _, t := range j.Results() {
			id := testID{j.Script.Name, t.Classname, t.Name}
			if byTest[id] == nil {
				order = append(order, id)
			}
			byTest[id] = append(byTest[id], testRun{j, t})
		}
	}
	return byTest, order
}

// flakes returns the failures of a test that has also passed with the same
// commit.
func flakes(runs []testRun) (all []testRun) {
	passed := map[string]bool{}
	for _, run := range runs {
		if run.test.Result == circleci.TestResultSuccess {
			passed[run.commit()] = true
		}
	}
	return filter(runs, func(run testRun) bool { return run.test.Result.Failed() && passed[run.commit()] })
}

func (t testRun) commit() string { return t.job.Workflow.Pipeline.Revision }

// flakyMemory is how long a test counts as flaky after its last flake.
const flakyMemory = 14 * 24 * time.Hour

func flakyTests(s *engine.Engine, _ *exchange.Request, p *world.Project) *exchange.Answer {
	byTest, order := testRuns(s.RunsOf(p, func(*world.Workflow) bool { return true }))
	all := []any{}
	for _, id := range order {
		found := flakes(byTest[id])
		if len(found) == 0 || s.Now().Sub(found[len(found)-1].job.Stopped) > flakyMemory {
			continue
		}
		wasted := 0.0
		for _, f := range found {
			wasted += f.job.Stopped.Sub(f.job.Started).Seconds()
		}
		last := found[len(found)-1]
		w := last.job.Workflow
		all = append(all, form.Object{
			"test_name": id.name, "classname": form.Nullable(id.classname), "file": form.Nullable(last.test.File), "source": form.Nullable(last.test.Source),
			"times_flaked": len(found), "time_wasted": int64(wasted), "job_name": id.job, "job_number": last.job.Number,
			"pipeline_number": w.Pipeline.Number, "workflow_id": w.ID, "workflow_name": w.Name, "workflow_created_at": form.Time(w.Created),
		})
	}
	return exchange.OK(form.Object{"flaky_tests": all, "total_flaky_tests": len(all)})
}

// testMetricRuns is how many runs of a workflow count, and testMetricTop how
// long the lists are.
const (
	testMetricRuns = 10
	testMetricTop  = 10
)

func testMetrics(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
	on := onBranch(r, p)
	runs := s.RunsOf(p, func(w *world.Workflow) bool {
		return w.Name == r.Params["workflow-name"] && on(w.Pipeline) && w.Status.Done()
	})
	runs = runs[max(len(runs)-testMetricRuns, 0):]
	views, count := []any{}, 0
	for _, w := range slices.Backward(runs) {
		counts := map[circleci.TestResult]int{}
		n := 0
		for _, j := range w.Ran() {
			for _, t := range j.Results() {
				counts[t.Result]++
				n++
			}
		}
		count += n
		views = append(views, form.Object{
			"pipeline_number": w.Pipeline.Number, "workflow_id": w.ID,
			"success_rate": ratio(float64(counts[circleci.TestResultSuccess]), float64(n)),
			"test_counts": form.Object{
				"success": counts[circleci.TestResultSuccess], "failure": counts[circleci.TestResultFailure],
				"error": counts[circleci.TestResultError], "skipped": counts[circleci.TestResultSkipped], "total": n,
			},
		})
	}
	all := testStatistics(runs)
	failing := filter(all, func(t testStatistic) bool { return t.failed > 0 })
	slices.SortStableFunc(failing, func(a, b testStatistic) int { return cmp.Compare(b.failed, a.failed) })
	slices.SortStableFunc(all, func(a, b testStatistic) int { return cmp.Compare(b.p95, a.p95) })
	view := form.Object{
		"average_test_count": int64(math.Round(ratio(float64(count), float64(len(runs))))), "total_test_runs": count, "test_runs": views,
	}
	view["most_failed_tests"], view["most_failed_tests_extra"] = top(failing)
	view["slowest_tests"], view["slowest_tests_extra"] = top(all)
	return exchange.OK(view)
}

type testStatistic struct {
	testID
	test   circleci.Test
	runs   int
	failed int
	flaky  bool
	p95    float64
}

func testStatistics(runs []*world.Workflow) (all []testStatistic) {
	byTest, order := testRuns(runs)
	for _, id := range order {
		one := testStatistic{testID: id, test: byTest[id][0].test, runs: len(byTest[id]), flaky: len(flakes(byTest[id])) > 0}
		var durations []float64
		for _, run := range byTest[id] {
			durations = append(durations, time.Duration(run.test.RunTime).Seconds())
			if run.test.Result.Failed() {
				one.failed++
			}
		}
		slices.Sort(durations)
		one.p95 = percentile(durations, 0.95)
		all = append(all, one)
	}
	return all
}

// top returns the first elements of a list, and how many more there are.
func top(all []testStatistic) (views []any, extra int) {
	views = []any{}
	for _, t := range all[:min(len(all), testMetricTop)] {
		views = append(views, form.Object{
			"test_name": t.name, "classname": form.Nullable(t.classname), "file": form.Nullable(t.test.File), "source": form.Nullable(t.test.Source),
			"job_name": t.job, "p95_duration": t.p95, "total_runs": t.runs, "failed_runs": t.failed, "flaky": t.flaky,
		})
	}
	return views, len(all) - len(views)
}
