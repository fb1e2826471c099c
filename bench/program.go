package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// program compares the smallest programs, those in programs/: their size, start
// time and build time.
func program(rounds int) []result {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	hand, sdk := filepath.Join(dir, "byhand"), filepath.Join(dir, "sdk")
	build("", hand)
	build("", sdk)
	started := inTurns(20*rounds, func() float64 { return initialisation(hand) }, func() float64 { return initialisation(sdk) })
	built := coldBuild(dir, min(rounds, 3), hand, sdk)
	return []result{
		atMost("the smallest program: MB over that by hand", "%.1f", 0, size(sdk)-size(hand), 2.0),
		atMost("    modules linked", "%.0f", modules(hand), modules(sdk), 5),
		atMost("    milliseconds of initialisation over that by hand", "%.2f", 0, started[1]-started[0], 0.3),
		atMost("    seconds of a cold build (standard library built)", "%.1f", built[0], built[1], 6),
	}
}

func goTool(cache string, args ...string) string {
	cmd := exec.Command("go", args...)
	if cache != "" {
		cmd.Env = append(os.Environ(), "GOCACHE="+cache)
	}
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		log.Fatal("go ", strings.Join(args, " "), ": ", err, "\n", errors.String())
	}
	return string(out)
}

func build(cache, to string) {
	goTool(cache, "build", "-o", to, "./programs/"+filepath.Base(to))
}

func size(file string) float64 {
	info, err := os.Stat(file)
	if err != nil {
		log.Fatal(err)
	}
	return float64(info.Size()) / 1e6
}

// modules counts the linked modules, without the program's own.
func modules(file string) float64 {
	return float64(strings.Count(goTool("", "version", "-m", file), "\n\tdep\t"))
}

// initialisation returns the time that the packages of a program take before
// main, in milliseconds.
func initialisation(file string) float64 {
	cmd := exec.Command(file) // without arguments it ends at once
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		log.Fatal(file, ": ", err, "\n", string(out))
	}
	total := 0.0
	for line := range strings.Lines(string(out)) {
		var name string
		var at, took float64
		if n, _ := fmt.Sscanf(line, "init %s @%f ms, %f ms clock", &name, &at, &took); n == 3 {
			total += took
		}
	}
	return total
}

// coldBuild returns the seconds that builds take when only the standard library
// has been built.
func coldBuild(dir string, rounds int, programs ...string) []float64 {
	built := filepath.Join(dir, "built")
	standard := strings.Fields(goTool("", "list", "-deps", "-f", "{{if .Standard}}{{.ImportPath}}{{end}}", "./programs/..."))
	goTool(built, append([]string{"build"}, standard...)...)
	var contenders []func() float64
	for _, p := range programs {
		contenders = append(contenders, func() float64 {
			cache := filepath.Join(dir, "cache")
			if err := os.CopyFS(cache, os.DirFS(built)); err != nil {
				log.Fatal(err)
			}
			defer func() { _ = os.RemoveAll(cache) }()
			_ = os.Remove(p) // otherwise nothing would be built
			start := time.Now()
			build(cache, p)
			return time.Since(start).Seconds()
		})
	}
	return inTurns(rounds, contenders...)
}
