package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUnplain(t *testing.T) {
	for text, want := range map[string]string{
		"There is no such job.":                    "",
		"the answer is no success":                 "is no s",
		"walks hand over\nwhat they have read":     "hand over",
		"It was renewed":                           "",
		"links neither.":                           "neither.",
		"It is neither of the two.":                "",
		"read anew":                                "anew",
		"Returns the page as it came from the API": "as it came",
	} {
		if got := unplain(text); got != want {
			t.Errorf("unplain(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.go", `// Package a is a package.
package a

// JobsService has jobs.
type JobsService struct{}

// Get returns a job.
//
//circleci:operation GET /job
func (s *JobsService) Get() {}

// Wait waits.
func (s *JobsService) Wait() {}

func Undocumented() {}

type hidden struct{}

func (hidden) Exported() {}

// ErrGone has a text that goes well.
const ErrGone = "that is no text"
`)
	write("a_test.go", "package a_test\n\nimport \"testing\"\n\nfunc TestX(t *testing.T) {}\n\nfunc ExampleJobsService_Get() {}\n")
	write("README.md", "It goes well.\n")
	problems, err := check(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(problems, "\n")
	for _, want := range []string{
		"Undocumented has no documentation", "JobsService.Wait has no example", "\"goes well\"", "README.md:1", "\"is no t\"",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing in:\n%s", want, all)
		}
	}
	for _, unwanted := range []string{"Exported", "JobsService.Get", "JobsService has no example"} {
		if strings.Contains(all, unwanted) {
			t.Errorf("%q is reported in:\n%s", unwanted, all)
		}
	}
}
