package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/tools/go/packages"
)

// sample is the mutants drawn from one package, and what runs its tests.
type sample struct {
	dir     string
	pattern string
	tests   []string // patterns
	limit   time.Duration
	known   map[string]bool

	parallel int
	verbose  bool
	mutants  int // found

	work     string // temporary directory
	packages []*packages.Package
	source   map[string][]byte
	binaries []binary
}

// measure draws n mutants and returns how many of them the tests have killed.
func (s *sample) measure(ctx context.Context, n int, seed uint64) (killed, counted int, err error) {
	if s.work, err = os.MkdirTemp("", "mutate"); err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(s.work)) }()
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return 0, 0, err
	}
	all, err := s.load()
	if err != nil {
		return 0, 0, err
	}
	random := rand.New(rand.NewPCG(seed, seed))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	drawn, err := s.compile(ctx, all, n)
	if err != nil {
		return 0, 0, err
	}
	if err := s.calibrate(ctx); err != nil {
		return 0, 0, err
	}
	fmt.Printf("%s: %d mutants of %d, %d test binaries, seed %d\n", s.pattern, len(drawn), len(all), len(s.binaries), seed)
	counting := slices.DeleteFunc(slices.Clone(drawn), func(m *mutant) bool { return s.known[m.name(s.dir)] })
	survivors := s.survivors(ctx, counting)
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	for _, m := range survivors {
		fmt.Println("survived: " + m.place(s.dir))
	}
	return len(counting) - len(survivors), len(counting), nil
}

// load reads the packages and finds their mutants.
func (s *sample) load() ([]*mutant, error) {
	loaded, err := packages.Load(&packages.Config{Dir: s.dir, Mode: packages.LoadSyntax}, s.pattern)
	if err != nil {
		return nil, err
	}
	if packages.PrintErrors(loaded) > 0 {
		return nil, errors.New("the package does not compile")
	}
	s.packages, s.source = loaded, map[string][]byte{}
	var all []*mutant
	for _, pkg := range loaded {
		found, err := mutantsOf(pkg, func(path string) ([]byte, error) {
			text, err := os.ReadFile(path)
			s.source[path] = text
			return text, err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	for i, m := range all {
		m.id = i + 1
	}
	s.mutants = len(all)
	return all, nil
}

// compile builds the tests with the first n mutants that the compiler takes.
func (s *sample) compile(ctx context.Context, all []*mutant, n int) ([]*mutant, error) {
	drawn, rest := all[:min(n, len(all))], all[min(n, len(all)):]
	for range 20 {
		overlay, lines, err := s.overlay(drawn)
		if err != nil {
			return nil, err
		}
		out, err := s.build(ctx, overlay)
		if err == nil {
			return drawn, nil
		}
		bad := culprits(out, lines)
		if len(bad) == 0 {
			return nil, fmt.Errorf("%w\n%s", err, out)
		}
		drawn = slices.DeleteFunc(slices.Clone(drawn), func(m *mutant) bool { return bad[m.id] })
		more := min(n-len(drawn), len(rest))
		drawn, rest = append(drawn, rest[:more]...), rest[more:]
	}
	return nil, errors.New("too many mutants that do not compile")
}

// overlay writes the changed files, and returns which mutants are on which
// line of them.
func (s *sample) overlay(drawn []*mutant) (path string, lines map[string][]int, err error) {
	replace := map[string]string{}
	lines = map[string][]int{}
	byFile := map[string][]*mutant{}
	for _, m := range drawn {
		byFile[m.file] = append(byFile[m.file], m)
	}
	write := func(original, text string) error {
		changed := filepath.Join(s.work, fmt.Sprintf("%d_%s", len(replace), filepath.Base(original)))
		replace[original] = changed
		return os.WriteFile(changed, []byte(text), 0o600)
	}
	for file, mutants := range byFile {
		text := render(s.source[file], mutants)
		for i, line := range strings.Split(text, "\n") {
			for _, id := range idPattern.FindAllStringSubmatch(line, -1) {
				number, _ := strconv.Atoi(id[1])
				key := fmt.Sprintf("%d_%s:%d", len(replace), filepath.Base(file), i+1)
				lines[key] = append(lines[key], number)
			}
		}
		if err := write(file, text); err != nil {
			return "", nil, err
		}
	}
	for _, pkg := range s.packages {
		if len(pkg.GoFiles) > 0 {
			if err := write(filepath.Join(filepath.Dir(pkg.GoFiles[0]), "mutant_switches.go"), fmt.Sprintf(switches, pkg.Name, s.mutants+1, traced)); err != nil {
				return "", nil, err
			}
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(s.work, "overlay.json")
	return path, lines, os.WriteFile(path, text, 0o600)
}

var idPattern = regexp.MustCompile(`mutantO[nr]\((\d+)`)

// render writes a file with the mutants in it. They are nested or apart, as
// the parts of a syntax tree are.
func render(source []byte, mutants []*mutant) string {
	mutants = slices.Clone(mutants)
	slices.SortFunc(mutants, func(a, b *mutant) int {
		return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(b.hi, a.hi), cmp.Compare(a.id, b.id))
	})
	return renderRange(source, mutants, 0, len(source))
}

func renderRange(source []byte, mutants []*mutant, lo, hi int) string {
	var out strings.Builder
	at := lo
	for i, m := range mutants {
		if m.lo < at || m.hi > hi {
			continue
		}
		out.Write(source[at:m.lo])
		inside := mutants[i+1:]
		out.WriteString(m.rewrite(m.id, func(lo, hi int) string { return renderRange(source, inside, lo, hi) }))
		at = m.hi
	}
	out.Write(source[at:hi])
	return out.String()
}

// errorLine is a place that the compiler complains of.
var errorLine = regexp.MustCompile(`([^/\s]+\.go):(\d+):\d+: `)

// culprits are the mutants on the lines that the compiler complains of, or on
// the nearest line before: a missing return is reported at the end of the
// function.
func culprits(out string, lines map[string][]int) map[int]bool {
	bad := map[int]bool{}
	for _, at := range errorLine.FindAllStringSubmatch(out, -1) {
		line, _ := strconv.Atoi(at[2])
		for ; line > 0; line-- {
			if ids := lines[fmt.Sprintf("%s:%d", at[1], line)]; len(ids) > 0 {
				for _, id := range ids {
					bad[id] = true
				}
				break
			}
		}
	}
	return bad
}

// build compiles each package's tests.
func (s *sample) build(ctx context.Context, overlay string) (string, error) {
	s.binaries = nil
	list := exec.CommandContext(ctx, "go", append([]string{"list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}\t{{.ImportPath}}{{end}}"}, s.tests...)...)
	list.Dir = s.dir
	names, err := list.Output()
	if err != nil {
		return string(names), err
	}
	for line := range strings.Lines(string(names)) {
		dir, pkg, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		path := filepath.Join(s.work, fmt.Sprintf("%d.test", len(s.binaries)))
		cmd := exec.CommandContext(ctx, "go", "test", "-gcflags=-e", "-c", "-vet=off", "-overlay", overlay, "-o", path, pkg)
		cmd.Dir = s.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return string(out), err
		}
		s.binaries = append(s.binaries, binary{path: path, dir: dir, pkg: pkg})
	}
	return "", nil
}
