package main

import (
	"fmt"
	"os"
	"strings"
)

// readKnown reads the list of known differences: each on a line, with the
// reason behind it. Empty lines and those that begin with # do not count.
func readKnown(file string) (map[string]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	for i, line := range strings.Split(string(data), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		difference, reason, _ := strings.Cut(line, " # ")
		difference = strings.TrimSpace(difference)
		if reason == "" {
			return nil, fmt.Errorf("%s:%d: a reason is missing: … # why", file, i+1)
		}
		if _, twice := known[difference]; twice {
			return nil, fmt.Errorf("%s:%d: this line is a duplicate", file, i+1)
		}
		known[difference] = reason
	}
	return known, nil
}

// judge parts the differences that are not known from the others. What is known
// and does not occur is a difference as well.
func judge(differences []string, known map[string]string) (news []string) {
	occurs := map[string]bool{}
	for _, d := range differences {
		key, _, _ := strings.Cut(d, ": circleci: ") // without the words of an error
		occurs[key] = true
		if known[key] == "" {
			news = append(news, d)
		}
	}
	for d := range known {
		if !occurs[d] {
			news = append(news, "known-stale "+d)
		}
	}
	return news
}
