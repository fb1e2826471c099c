package circlecitest

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/circleci-go/circleci"
)

// flakyResult is the result of a test that goes by its job's.
const flakyResult circleci.TestResult = "flaky"

// FlakyTest is the result of a test that fails when its job fails, and passes
// when it succeeds: with [JobScript.FailsOnce], and a rerun, it is flaky.
func FlakyTest(name, message string) circleci.Test {
	t := FailingTest(name, message)
	t.Result = flakyResult
	return t
}

// results are the tests of a job that has ended.
func (j *job) results() []circleci.Test {
	if j.stopped.IsZero() {
		return nil
	}
	all := slices.Clone(j.script.tests)
	for i := range all {
		switch {
		case all[i].Result != flakyResult:
		case j.status == circleci.JobStatusSuccess:
			all[i].Result, all[i].Message = circleci.TestResultSuccess, ""
		default:
			all[i].Result = circleci.TestResultFailure
		}
	}
	for i, failed := range j.flakes {
		test := j.script.flaky[i].test
		if failed {
			test.Result = circleci.TestResultFailure
		} else {
			test.Result, test.Message = circleci.TestResultSuccess, ""
		}
		all = append(all, test)
	}
	return all
}

// testID is what a test is known by.
type testID struct{ job, classname, name string }

// testRun is one result of a test.
type testRun struct {
	job  *job
	test circleci.Test
}

// testRuns are the results of the tests of these workflows, by test, and the
// tests in the order in which they come.
func testRuns(runs []*workflow) (byTest map[testID][]testRun, order []testID) {
	byTest = map[testID][]testRun{}
	for _, j := range jobRuns(runs) {
		for _, t := range j.results() {
			id := testID{j.script.name, t.Classname, t.Name}
			if byTest[id] == nil {
				order = append(order, id)
			}
			byTest[id] = append(byTest[id], testRun{j, t})
		}
	}
	return byTest, order
}

// flakes are the failures of a test that has passed too, with the same commit.
func flakes(runs []testRun) (all []testRun) {
	passed := map[string]bool{}
	for _, run := range runs {
		if run.test.Result == circleci.TestResultSuccess {
			passed[run.commit()] = true
		}
	}
	return filter(runs, func(run testRun) bool { return run.test.Result.Failed() && passed[run.commit()] })
}

func (t testRun) commit() string { return t.job.workflow.pipeline.revision }

// flakyMemory is how long a test is flaky after its last flake.
const flakyMemory = 14 * 24 * time.Hour

func flakyTests(s *Server, _ *request, p *project) *answer {
	byTest, order := testRuns(s.runsOf(p, func(*workflow) bool { return true }))
	all := []any{}
	for _, id := range order {
		found := flakes(byTest[id])
		if len(found) == 0 || s.now().Sub(found[len(found)-1].job.stopped) > flakyMemory {
			continue
		}
		wasted := 0.0
		for _, f := range found {
			wasted += f.job.stopped.Sub(f.job.started).Seconds()
		}
		last := found[len(found)-1]
		w := last.job.workflow
		all = append(all, object{
			"test_name": id.name, "classname": nullable(id.classname), "file": nullable(last.test.File), "source": nullable(last.test.Source),
			"times_flaked": len(found), "time_wasted": int64(wasted), "job_name": id.job, "job_number": last.job.number,
			"pipeline_number": w.pipeline.number, "workflow_id": w.id, "workflow_name": w.name, "workflow_created_at": timestamp(w.created),
		})
	}
	return ok(object{"flaky_tests": all, "total_flaky_tests": len(all)})
}

// testMetricRuns is how many runs of a workflow count, and testMetricTop how
// long the lists are.
const (
	testMetricRuns = 10
	testMetricTop  = 10
)

func testMetrics(s *Server, r *request, p *project) *answer {
	on := onBranch(r, p)
	runs := s.runsOf(p, func(w *workflow) bool {
		return w.name == r.params["workflow-name"] && on(w.pipeline) && w.status.Done()
	})
	runs = runs[max(len(runs)-testMetricRuns, 0):]
	views, count := []any{}, 0
	for _, w := range slices.Backward(runs) {
		counts := map[circleci.TestResult]int{}
		n := 0
		for _, j := range w.ran() {
			for _, t := range j.results() {
				counts[t.Result]++
				n++
			}
		}
		count += n
		views = append(views, object{
			"pipeline_number": w.pipeline.number, "workflow_id": w.id,
			"success_rate": ratio(float64(counts[circleci.TestResultSuccess]), float64(n)),
			"test_counts": object{
				"success": counts[circleci.TestResultSuccess], "failure": counts[circleci.TestResultFailure],
				"error": counts[circleci.TestResultError], "skipped": counts[circleci.TestResultSkipped], "total": n,
			},
		})
	}
	all := testStatistics(runs)
	failing := filter(all, func(t testStatistic) bool { return t.failed > 0 })
	slices.SortStableFunc(failing, func(a, b testStatistic) int { return cmp.Compare(b.failed, a.failed) })
	slices.SortStableFunc(all, func(a, b testStatistic) int { return cmp.Compare(b.p95, a.p95) })
	view := object{
		"average_test_count": int64(math.Round(ratio(float64(count), float64(len(runs))))), "total_test_runs": count, "test_runs": views,
	}
	view["most_failed_tests"], view["most_failed_tests_extra"] = top(failing)
	view["slowest_tests"], view["slowest_tests_extra"] = top(all)
	return ok(view)
}

type testStatistic struct {
	testID
	test   circleci.Test
	runs   int
	failed int
	flaky  bool
	p95    float64
}

func testStatistics(runs []*workflow) (all []testStatistic) {
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

// top are the first of a list, and how many there are beyond.
func top(all []testStatistic) (views []any, extra int) {
	views = []any{}
	for _, t := range all[:min(len(all), testMetricTop)] {
		views = append(views, object{
			"test_name": t.name, "classname": nullable(t.classname), "file": nullable(t.test.File), "source": nullable(t.test.Source),
			"job_name": t.job, "p95_duration": t.p95, "total_runs": t.runs, "failed_runs": t.failed, "flaky": t.flaky,
		})
	}
	return views, len(all) - len(views)
}
