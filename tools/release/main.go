// Command release checks that each module of the repository builds as users
// get it: without its replace directives, against the other modules as they
// would be tagged.
//
//	go run ./release version
//
// It writes all modules, at that version, into a module proxy in a temporary
// directory, and builds each of them from there.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/zip"
)

const root = "github.com/circleci-go/circleci"

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 || !semver.IsValid(os.Args[1]) {
		log.Fatal("usage: release v1.2.3")
	}
	if err := check("..", os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

// check builds each module of the repository at a directory.
func check(repository, version string) (err error) {
	work, err := os.MkdirTemp("", "release")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	list := exec.Command("git", "ls-files", "go.mod", "*/go.mod")
	list.Dir = repository
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("git ls-files: %w", err)
	}
	var modules []string
	for file := range strings.FieldsSeq(string(out)) {
		if dir := filepath.ToSlash(filepath.Dir(file)); dir != "tools" {
			modules = append(modules, dir)
		}
	}
	proxy := filepath.Join(work, "proxy")
	for _, dir := range modules {
		if err := publish(repository, dir, version, proxy, filepath.Join(work, "copy", dir)); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	var failed []string
	for _, dir := range modules {
		fmt.Println("==", pathOf(dir))
		if err := build(filepath.Join(work, "copy", dir), proxy); err != nil {
			fmt.Println(err)
			failed = append(failed, dir)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("these modules do not build without replace: %s", strings.Join(failed, " "))
	}
	return nil
}

func pathOf(dir string) string {
	if dir == "." {
		return root
	}
	return root + "/" + dir
}

// publish copies the files of a module that git knows, with a go.mod as it
// would be tagged, and puts them into the proxy.
func publish(repository, dir, version, proxy, target string) error {
	files := exec.Command("git", "ls-files", "-z", dir)
	files.Dir = repository
	names, err := files.Output()
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		inside, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(filepath.Join(repository, name))
		if err != nil {
			return err
		}
		if inside == "go.mod" {
			if text, err = tagged(text, version); err != nil {
				return err
			}
		}
		if err := write(filepath.Join(target, inside), text); err != nil {
			return err
		}
	}
	gomod, err := os.ReadFile(filepath.Join(target, "go.mod"))
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	if err := zip.CreateFromDir(&packed, module.Version{Path: pathOf(dir), Version: version}, target); err != nil {
		return err
	}
	info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Now().UTC()})
	if err != nil {
		return err
	}
	at := filepath.Join(proxy, pathOf(dir), "@v")
	return errors.Join(
		write(filepath.Join(at, version+".mod"), gomod),
		write(filepath.Join(at, version+".zip"), packed.Bytes()),
		write(filepath.Join(at, version+".info"), info),
		write(filepath.Join(at, "list"), []byte(version+"\n")),
	)
}

// tagged is a go.mod without replace, which requires this version of the
// repository's other modules.
func tagged(text []byte, version string) ([]byte, error) {
	f, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range slices.Clone(f.Replace) {
		if err := f.DropReplace(r.Old.Path, r.Old.Version); err != nil {
			return nil, err
		}
	}
	for _, r := range slices.Clone(f.Require) {
		if r.Mod.Path == root || strings.HasPrefix(r.Mod.Path, root+"/") {
			if err := f.AddRequire(r.Mod.Path, version); err != nil {
				return nil, err
			}
		}
	}
	f.Cleanup()
	return f.Format()
}

// build compiles a copy, tests included, with the proxy before the usual one.
func build(dir, proxy string) error {
	usual, err := exec.Command("go", "env", "GOPROXY").Output()
	if err != nil {
		return err
	}
	for _, args := range [][]string{{"build", "-mod=mod", "./..."}, {"vet", "-mod=mod", "./..."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-modcacherw", "GOWORK=off", "GONOSUMDB="+root+","+root+"/*",
			"GOPROXY=file://"+filepath.ToSlash(proxy)+","+strings.TrimSpace(string(usual)),
			"GOMODCACHE="+filepath.Join(filepath.Dir(proxy), "cache"))
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

func write(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
