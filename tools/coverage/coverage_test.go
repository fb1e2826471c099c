package main

import (
	"testing"

	"golang.org/x/tools/cover"
)

func TestCoverage(t *testing.T) {
	block := func(statements, count int) cover.ProfileBlock {
		return cover.ProfileBlock{NumStmt: statements, Count: count}
	}
	got := coverage([]*cover.Profile{
		{FileName: module + "/a.go", Blocks: []cover.ProfileBlock{block(3, 1), block(1, 0)}},
		{FileName: module + "/webhook/a.go", Blocks: []cover.ProfileBlock{block(1, 5)}},
		{FileName: module + "/webhook/b.go", Blocks: []cover.ProfileBlock{block(1, 0)}},
	})
	if got["."] != 75 || got["webhook"] != 50 {
		t.Errorf("coverage = %v", got)
	}
}

func TestParseFloors(t *testing.T) {
	floors, err := parseFloors("# comment\ndefault 90\n. 97.5 # the client\n")
	if err != nil || floors["default"] != 90 || floors["."] != 97.5 {
		t.Errorf("parseFloors = %v, %v", floors, err)
	}
	for _, bad := range []string{"only", "a b"} {
		if _, err := parseFloors(bad); err == nil {
			t.Errorf("parseFloors(%q) succeeds", bad)
		}
	}
}
