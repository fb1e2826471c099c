package circleci

import (
	"cmp"
	"slices"
)

// FlakyTestSummary is what [FlakyTests] holds about one test, in all its jobs.
type FlakyTestSummary struct {
	TestName  string
	Classname string
	File      string
	// TimesFlaked is how often the test has flaked, in all jobs.
	TimesFlaked int64
	// TimeWasted is the time that its runs took, in all jobs.
	TimeWasted Seconds
	// JobNames are the names of the jobs in which it has flaked, sorted.
	JobNames []string
	// Flakes are the elements of [FlakyTests] that are about this test.
	Flakes []FlakyTest
}

// ByTest groups the flakes by test: those with the same name, class name and
// file. The tests that have flaked most often come first; equal ones stay in
// the API's order.
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
