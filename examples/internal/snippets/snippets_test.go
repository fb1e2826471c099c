package snippets

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/circleci-go/circleci"

// packages are what snippets may use, by name.
var packages = map[string]string{
	"assert": "github.com/stretchr/testify/assert", "require": "github.com/stretchr/testify/require", "uuid": "github.com/google/uuid",
	"circleci": module, "circlecitest": module + "/circlecitest", "webhook": module + "/webhook", "cliconfig": module + "/cliconfig",
	"apiv3": module + "/apiv3", "otelcircleci": module + "/otelcircleci", "oidctoken": module + "/oidctoken", "redislimit": module + "/redislimit",
	"redis":   "github.com/redis/go-redis/v9",
	"context": "context", "errors": "errors", "fmt": "fmt", "http": "net/http", "httptest": "net/http/httptest", "io": "io", "log": "log",
	"os": "os", "slog": "log/slog", "strings": "strings", "synctest": "testing/synctest", "testing": "testing", "time": "time", "x509": "crypto/x509",
}

// prelude has what snippets take for granted, by name.
var prelude = map[string]string{
	"client":     "var client *circleci.Client",
	"v3":         "var v3 *apiv3.Client",
	"slug":       "var slug circleci.ProjectSlug",
	"id":         "var id uuid.UUID",
	"orgID":      "var orgID uuid.UUID",
	"projectID":  "var projectID uuid.UUID",
	"pipelineID": "var pipelineID uuid.UUID",
	"token":      "var token string",
	"secret":     "var secret circleci.Secret",
	"srv":        "var srv *circlecitest.Server",
	"config":     "var config string",
	"pool":       "var pool *x509.CertPool",
	"logger":     "var logger *slog.Logger",
	"vault":      "var vault interface{ Token(ctx context.Context) (string, error) }",
	"Release":    "func Release(ctx context.Context, client *circleci.Client, slug circleci.ProjectSlug) error { return nil }",
}

var (
	block    = regexp.MustCompile("(?s)```go\n(.*?)```")
	qualifer = regexp.MustCompile(`\b([a-z0-9]+)\.[A-Z]`)
	declared = regexp.MustCompile(`(?m)^(?:var )?(\w+(?:, \w+)*)(?: :=| struct)`)
	imports  = regexp.MustCompile(`(?s)^import \(\n.*?\n\)\n`)
)

// source makes a file of a snippet: of a program or a test as it is, and of
// statements within a function.
func source(name, code string) (file, text string) {
	code = strings.TrimLeft(imports.ReplaceAllString(code, ""), "\n")
	if strings.HasPrefix(code, "package main\n") {
		return "main.go", code
	}
	body := code
	file = "snippet.go"
	if !strings.HasPrefix(code, "func ") {
		var used strings.Builder
		for _, m := range declared.FindAllStringSubmatch(code, -1) {
			for variable := range strings.SplitSeq(m[1], ", ") {
				if variable != "_" {
					fmt.Fprintf(&used, "\t_ = %s\n", variable)
				}
			}
		}
		body = "func snippet(ctx context.Context) error {\n" + code + used.String() + "\treturn nil\n}\n"
	}
	declarations := []string{body}
	for _, name := range slices.Sorted(maps.Keys(prelude)) {
		if regexp.MustCompile(`\b` + name + `\b`).MatchString(code) {
			declarations = append(declarations, prelude[name])
		}
	}
	body = strings.Join(declarations, "\n") + "\n"
	needed := map[string]bool{}
	for _, m := range qualifer.FindAllStringSubmatch(body, -1) {
		if path, ok := packages[m[1]]; ok {
			needed[path] = true
		}
	}
	var list strings.Builder
	for _, path := range slices.Sorted(maps.Keys(needed)) {
		fmt.Fprintf(&list, "\t%q\n", path)
	}
	return file, "package " + name + "\n\nimport (\n" + list.String() + ")\n" + body
}

// The code of each document compiles, each snippet on its own.
func TestDocuments(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string]string{}
	dirs := []string{}
	for _, document := range []string{"README.md", "MIGRATING.md", "circlecitest/README.md", "apiv3/README.md", "redislimit/README.md"} {
		text, err := os.ReadFile(filepath.Join(root, document))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range block.FindAllStringSubmatch(string(text), -1) {
			name := fmt.Sprintf("s%d_%s", i+1, strings.NewReplacer("/", "_", ".", "_").Replace(strings.ToLower(document)))
			file, code := source(name, m[1])
			at := filepath.Join(t.TempDir(), file)
			if err := os.WriteFile(at, []byte(code), 0o600); err != nil {
				t.Fatal(err)
			}
			here, err := filepath.Abs(name)
			if err != nil {
				t.Fatal(err)
			}
			overlay[filepath.Join(here, file)] = at
			dirs = append(dirs, "./"+name)
		}
	}
	if len(dirs) < 10 {
		t.Fatalf("only %d snippets were found", len(dirs))
	}
	list, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(config, list, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"build", "-overlay", config}, dirs...)...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
