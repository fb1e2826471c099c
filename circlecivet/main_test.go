package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The tool reports the same by itself and under go vet.
func TestBothWaysToRun(t *testing.T) {
	dir := t.TempDir()
	stub, err := os.ReadFile("pagererror/testdata/src/github.com/circleci-go/circleci/circleci.go")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"go.mod":          "module github.com/circleci-go/circleci\n\ngo 1.26.0\n",
		"circleci.go":     string(stub),
		"program/main.go": "package main\n\nimport (\n\t\"context\"\n\n\t\"github.com/circleci-go/circleci\"\n)\n\nfunc main() {\n\tfor range circleci.Rows(context.Background()) {\n\t}\n}\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tool := filepath.Join(dir, "circlecivet.exe")
	if out, err := exec.Command("go", "build", "-o", tool, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, command := range [][]string{{tool, "./..."}, {"go", "vet", "-vettool=" + tool, "./..."}} {
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "loses the error of Rows") {
			t.Errorf("%v: %v: %s", command, err, out)
		}
	}
}
