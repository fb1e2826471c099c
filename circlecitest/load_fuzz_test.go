package circlecitest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/circleci-go/circleci/circlecitest"
)

// A document is refused, or what it says can run.
func FuzzLoad(f *testing.F) {
	f.Add(releaseScenario)
	f.Add(acmeScenario)
	for _, document := range []string{
		"", "[]", "x", "&a [*a]", "? {a: b} : c", "!!binary x", "projects: {gh/a/b: null}", "projects: {gh/a/b: {scripts: [null]}}", "weather: [null]",
		"projects: {gh/a/b: {scripts: [{workflows: [{name: w, jobs: [{name: j, takes: 1000000h, varies: 1, ends: [odd]}]}]}]}}",
		"projects: {gh/a/b: {scripts: [{workflows: [{name: w, jobs: [{name: j, requires: [j]}]}]}]}}",
		"projects: {gh/a/b: {scripts: [{workflows: [{name: w, reruns_automatically: 3, jobs: [{name: j, fails: 1, tests: [{name: t, result: flaky, share: 1}]}]}]}]}}",
		"projects: {gh/a/b: {history: {days: -1, runs_per_day: 1, branches: ['']}}}", "projects: {gh/a/b: {configuration: '&a [*a]'}}",
		"projects: {'gh/a/%2F': {}, 'gh/a/<b>': {}}", "users: [{login: a}, {login: a}]", "contexts: [{owner: gh/a, name: a/b, env_vars: {'': ''}}]",
	} {
		f.Add(document)
	}
	f.Fuzz(func(t *testing.T, document string) {
		srv := circlecitest.NewServer(circlecitest.WithManualTime(), circlecitest.WithPipelinesKept(100))
		defer srv.Close()
		if srv.Load([]byte(document)) != nil {
			return
		}
		srv.ClearWeather()
		srv.StartPipeline("gh/a/b", "main")
		srv.Advance(time.Hour)
		_, err := srv.Client().Pipelines.ListForProject("gh/a/b", nil).Collect(t.Context())
		assert.NoError(t, err)
	})
}
