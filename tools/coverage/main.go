// Command coverage reads a profile of "go test -coverprofile" and fails if a
// package is covered less than its floor:
//
//	go run ./coverage profile floors
//
// A line of the file of floors has a package, relative to the module, and the
// least percentage. Packages that it does not list have the floor of "default".
package main

import (
	"fmt"
	"log"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/cover"
)

const module = "github.com/circleci-go/circleci"

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: coverage profile floors")
	}
	profiles, err := cover.ParseProfiles(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	list, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	floors, err := parseFloors(string(list))
	if err != nil {
		log.Fatal(err)
	}
	below := 0
	shares := coverage(profiles)
	for _, pkg := range slices.Sorted(maps.Keys(shares)) {
		floor, ok := floors[pkg]
		if !ok {
			floor = floors["default"]
		}
		mark := ""
		if shares[pkg] < floor {
			mark = fmt.Sprintf("  below its floor of %.1f %%", floor)
			below++
		}
		fmt.Printf("%6.1f %%  %s%s\n", shares[pkg], pkg, mark)
	}
	if below > 0 {
		log.Fatalf("coverage: %d packages are below their floors", below)
	}
}

// coverage returns the percentage of the statements that ran, by package.
func coverage(profiles []*cover.Profile) map[string]float64 {
	covered, total := map[string]int{}, map[string]int{}
	for _, p := range profiles {
		pkg := strings.TrimPrefix(strings.TrimPrefix(path.Dir(p.FileName), module), "/")
		if pkg == "" {
			pkg = "."
		}
		for _, b := range p.Blocks {
			total[pkg] += b.NumStmt
			if b.Count > 0 {
				covered[pkg] += b.NumStmt
			}
		}
	}
	shares := map[string]float64{}
	for pkg, n := range total {
		if n > 0 {
			shares[pkg] = 100 * float64(covered[pkg]) / float64(n)
		}
	}
	return shares
}

func parseFloors(list string) (map[string]float64, error) {
	floors := map[string]float64{}
	for line := range strings.Lines(list) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 2 {
			return nil, fmt.Errorf("floors: %q is not a package and a percentage", line)
		}
		floor, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			return nil, fmt.Errorf("floors: %w", err)
		}
		floors[fields[0]] = floor
	}
	return floors, nil
}
