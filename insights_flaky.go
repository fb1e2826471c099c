package circleci

import (
	"cmp"
	"slices"
)

// FlakyTestSummary summarizes the flakes of one test, across all its jobs.
type FlakyTestSummary struct {
	TestName  string
	Classname string
	File      string
	// TimesFlaked is the number of times the test flaked, in all jobs.
	TimesFlaked int64
	// TimeWasted is the total duration of its flaky runs, in all jobs.
	TimeWasted Seconds
	// JobNames are the names of the jobs in which the test flaked, sorted.
	JobNames []string
	// Flakes are the elements of [FlakyTests] for this test.
	Flakes []FlakyTest
}

// ByTest groups the flakes by test, identified by name, class name and file.
// The tests that flaked most often come first; ties keep the API's order.
func (f *FlakyTests) ByTest() []FlakyTestSummary {
	type identity struct{ name, class, file string }
	var all []FlakyTestSummary
	index := map[identity]int{}
	for _, flake := range f.Tests {
		id := identity{flake.TestName, flake.Classname, flake.File}
		i, known := index[id]
		if !known {
			i = len(all)
			index[id] = i
			all = append(all, FlakyTestSummary{TestName: id.name, Classname: id.class, File: id.file})
		}
		s := &all[i]
		s.TimesFlaked += flake.TimesFlaked
		if flake.TimeWasted != nil {
			s.TimeWasted += *flake.TimeWasted
		}
		if at, found := slices.BinarySearch(s.JobNames, flake.JobName); !found {
			s.JobNames = slices.Insert(s.JobNames, at, flake.JobName)
		}
		s.Flakes = append(s.Flakes, flake)
	}
	slices.SortStableFunc(all, func(a, b FlakyTestSummary) int { return cmp.Compare(b.TimesFlaked, a.TimesFlaked) })
	return all
}
